import { z } from 'zod';
import { durationSchema, nameSchema } from './agent.ts';

export const CREDENTIAL_TTL_MAX_S = 60;

export const approvalSchema = z.union([
  z.literal('none').describe('Runs unasked'),
  nameSchema.describe('The approver group that is asked'),
  z.strictObject({
    group: nameSchema,
    quorum: z.int().min(1).max(20).default(1),
    expiresIn: durationSchema.default('1h'),
    remindAfter: durationSchema.optional().describe('Default: half of expiresIn'),
  }),
]);

export const grantSchema = z.strictObject({
  tool: z.union([nameSchema, z.array(nameSchema).min(1)]).describe('One tool or several'),
  name: nameSchema.optional().describe('Default: the tool and the number of the grant'),
  when: z.string().optional().describe('CEL over args, context and subject; only true matches'),
  deny: z.string().min(1).optional().describe('Refuses, with this reason; beats every other grant'),
  approval: approvalSchema.optional().describe('Needed for every write; reads default to none'),
  credential: z
    .strictObject({
      scopes: z.array(z.string()).min(1).optional().describe('Default: every scope of the tool'),
      ttl: durationSchema.default('60s'),
    })
    .prefault({}),
  limits: z
    .strictObject({ perHour: z.int().min(1).optional(), perDay: z.int().min(1).optional() })
    .default({}),
  record: z.enum(['before', 'after']).default('before').describe('Reads only: after may lose 1 s of entries'),
});

export const gateSchema = z.strictObject({
  sample: z.int().min(0).default(0).describe('Events each exposed segment needs before widening'),
  verdicts: z.enum(['no-breach', 'ok']).optional().describe('Default: no-breach, and ok before and in scale'),
  checklist: z.array(z.string()).default([]),
  approve: z.boolean().default(true).describe('A person (owner) last'),
});

export const stepSchema = z.strictObject({
  days: z.number().positive().max(90),
  exposure: z
    .record(z.string(), z.number().min(0).max(100))
    .describe('Percent per segment; "*" is every other'),
  gate: gateSchema.prefault({}),
});

export const guardrailSchema = z.strictObject({
  metric: nameSchema,
  limit: z.number().positive().describe('Absolute'),
  reason: z.string().min(1).describe('Why this limit'),
  share: z.number().positive().default(1).describe('Its part of alpha, against the other guardrails'),
  action: z.enum(['rollback', 'report']).default('rollback'),
});

export const rolloutSchema = z.strictObject({
  subject: z.string().default('subject').describe('What is assigned to an arm, e.g. conversation'),
  alpha: z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.05)
    .describe('Chance of any false automatic rollback in its life'),
  signedOffBy: nameSchema.optional().describe('Who signed the definitions, escalation and rollback triggers'),
  escalation: z.string().default('A breach is told to on-call at once, a hold to the owners the same day.'),
  baseline: z
    .strictObject({ days: z.number().positive().max(90), gate: gateSchema.prefault({}) })
    .prefault({ days: 30 }),
  constrained: z.array(stepSchema).min(1).optional(),
  scale: z.array(stepSchema).min(1).optional(),
  guardrails: z.array(guardrailSchema).default([]),
});

export const releaseSchema = z.strictObject({
  agent: nameSchema,
  release: z.union([nameSchema, z.int().min(1)]).transform(String),
  description: z.string().optional(),
  grants: z.array(grantSchema).min(1),
  rollout: rolloutSchema.prefault({}),
});

export type Grant = z.infer<typeof grantSchema>;
export type Gate = z.infer<typeof gateSchema>;
export type Guardrail = z.infer<typeof guardrailSchema>;
export type RolloutPlan = z.infer<typeof rolloutSchema>;
/** An immutable, versioned permission set of one agent. */
export type Release = z.infer<typeof releaseSchema>;

/** Who is asked, how many must agree, how long it may take; `undefined` runs unasked. */
export interface ApprovalPolicy {
  group: string;
  quorum: number;
  expiresIn: string;
  remindAfter?: string;
}

/** The approval a grant needs in one form; reads default to none. */
export function approvalOf(grant: Pick<Grant, 'approval'>): ApprovalPolicy | undefined {
  const { approval } = grant;
  if (approval === undefined || approval === 'none') return undefined;
  return typeof approval === 'string' ? { group: approval, quorum: 1, expiresIn: '1h' } : approval;
}

export const toolsOf = (grant: Grant): readonly string[] =>
  Array.isArray(grant.tool) ? grant.tool : [grant.tool];
