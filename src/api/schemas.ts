import { z } from 'zod';
import { ACTION_STATES, SUPERSEDED_BECAUSE } from '../domain/action.ts';
import { nameSchema, riskSchema } from '../domain/agent.ts';
import { WAYS } from '../domain/approval/reach.ts';
import { REASON_CODES } from '../domain/decision.ts';
import { INSTANT_RANGE, isInstant } from '../domain/instant.ts';
import { NOTIFY, SLACK_APPROVES } from '../domain/release.ts';
import { saysSomething } from '../domain/unseen.ts';

/** Text that the store can hold: NUL cannot be stored. */
export const textSchema = (max: number, min = 0) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[^\0]*$/, 'text holds no NUL characters');

/** A person's reason: people must be able to see it. */
export const reasonSchema = textSchema(2_000, 1).refine(
  saysSomething,
  'say why, with letters, digits or symbols that people can see',
);
export const idSchema = z.uuid().describe('The action id');
export const agentNameSchema = nameSchema.describe('The name of the agent');
/** What the store keeps as an integer of four bytes. */
export const countSchema = z.int().max(2_147_483_647);
export const limitSchema = z.coerce.number().int().min(1);
export const flagSchema = z.enum(['true', 'false']).optional();

const instant = z.iso.datetime({ offset: true });

export const decisionReasonSchema = z
  .object({ code: z.enum(REASON_CODES), message: z.string(), hint: z.string().optional() })
  .meta({ id: 'DecisionReason' });

const approvalViewSchema = z.object({
  group: z.string().describe('The stages in words: "desk", "2 of desk, then 1 of leads"'),
  quorum: z.number().int().describe('People who must agree, over all stages'),
  stages: z.array(z.array(z.object({ group: z.string(), quorum: z.number().int() }))),
  stage: z.number().int().describe('The one that is open, from 0'),
  round: z
    .number()
    .int()
    .describe('Rises with every change of the arguments; earlier approvals do not count'),
  expiresIn: z.string(),
  beginWithin: z.string().optional().describe('What an approval leaves to begin in. Default: 60s'),
  remindAfter: z.string().optional(),
  reason: z.enum(['optional', 'required']).describe('Whether approving needs a reason'),
  slackApproves: z.enum(SLACK_APPROVES),
  notify: z.enum(NOTIFY),
  escalate: z.array(z.object({ after: z.string(), to: z.string() })),
  breakGlass: z.string().optional(),
  standing: z.enum(['allowed', 'forbidden']),
  repeats: z
    .number()
    .int()
    .optional()
    .describe('How often it may be asked again within a day once it was denied'),
  strictBehind: z.literal(true).optional().describe('Whoever is behind it must be known'),
});

export const actionSchema = z
  .object({
    id: z.string(),
    url: z.string().describe('The page on which people decide'),
    state: z.enum(ACTION_STATES),
    outcome: z.enum(['allowed', 'pending', 'denied']),
    decidedBy: z.enum(['policy', 'person']).optional(),
    supersededBecause: z.enum(SUPERSEDED_BECAUSE).optional(),
    agent: z.string(),
    agentVersion: z.string(),
    tool: z.string(),
    kind: z.enum(['read', 'write']),
    args: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('With redacted values marked; only for readers who may see them, and until they are erased'),
    argsDigest: z.string().describe('SHA-256(salt || RFC 8785 JSON): what an approval is for'),
    summary: z.string(),
    why: z.string().optional().describe("The agent's own words"),
    behind: z.array(z.string()).describe('Who prompted it, drives the agent or is acted for'),
    strangers: z
      .array(z.string())
      .describe('Of these, whoever is nobody under "people": it may be an approver under another name'),
    links: z.array(z.string()),
    consequence: z.string().optional(),
    risk: riskSchema,
    reversibility: z.enum(['reversible', 'compensable', 'irreversible']).optional(),
    undo: z.string().optional(),
    advisory: z.boolean().describe('The agent also holds a key of its own for this tool'),
    testMode: z.boolean(),
    segment: z.string().optional(),
    arm: z.enum(['control', 'candidate']),
    release: z.string().optional(),
    rollout: z.string().optional(),
    generation: z.number().int().optional(),
    phase: z.string().optional(),
    grant: z.string().optional(),
    epoch: z.number().int(),
    revision: z.number().int(),
    reasons: z.array(decisionReasonSchema),
    approval: approvalViewSchema.optional(),
    askedAt: instant,
    askedBy: z.string(),
    remindAt: instant.optional(),
    expiresAt: instant.optional(),
    decidedAt: instant.optional(),
    decisions: z.array(
      z.object({
        person: z.string(),
        verdict: z.enum(['approve', 'deny']),
        at: instant,
        via: z.string(),
        reason: z.string().optional(),
        round: z.number().int(),
        stage: z.number().int(),
        for: z.string().optional().describe("Whose right it was, where not the person's own"),
      }),
    ),
    edits: z
      .array(
        z.object({
          person: z.string(),
          at: instant,
          via: z.string(),
          round: z.number().int(),
          reason: z.string().optional(),
          digestBefore: z.string(),
        }),
      )
      .describe('Changes of the arguments while it waited'),
    breakGlass: z
      .object({
        reviewed: z
          .object({ person: z.string(), at: instant, justified: z.boolean(), note: z.string() })
          .optional(),
      })
      .optional()
      .describe('One person approved it alone'),
    standingApproval: z.string().optional().describe('The standing approval it ran by'),
    earned: z.boolean().describe('People were not asked because the evidence carries it'),
    reach: z
      .object({
        state: z.enum(['delivered', 'queued', 'undelivered', 'unreached']),
        people: z.array(z.string()),
        at: instant,
        postAt: instant.optional(),
        problem: z.string().optional(),
      })
      .optional()
      .describe('Whether somebody who may answer was reached'),
    denyReason: z.string().optional(),
    execution: z
      .object({
        executionId: z.string(),
        beganAt: instant,
        startBy: instant.optional(),
        deadlineAt: instant.optional(),
        completedAt: instant.optional(),
        resultDigest: z.string().optional(),
        error: z.string().optional(),
      })
      .optional(),
    correction: z.object({ person: z.string(), at: instant, reason: z.string().optional() }).optional(),
  })
  .meta({ id: 'Action' });

export const actionDetailSchema = actionSchema
  .extend({
    queue: z
      .object({
        position: z.number().int().describe('From 1'),
        ahead: z
          .number()
          .int()
          .describe('Actions of the agent that ask one of the same groups and wait for longer'),
      })
      .optional()
      .describe('Its place among what waits for the same people; only while it waits'),
    asked: z
      .array(
        z.object({
          person: z.string(),
          groups: z.array(z.string()).describe('By which they may answer now; none: they may not any more'),
          because: z
            .enum(['asked', 'unreached', 'out_of_hours', 'unanswered'])
            .describe('By the release, or because it was passed on to a group of theirs'),
          told: z.array(z.enum(WAYS)).describe('How they know of it; none: nobody told them'),
          at: instant.optional().describe('When they were told first'),
        }),
      )
      .optional()
      .describe(
        'Who is asked in the open stage; for approvers and release managers, and while it waits for the agent itself',
      ),
    deniedBefore: z
      .array(
        z.object({
          action: z.string(),
          person: z.string(),
          at: instant,
          reason: z.string().optional(),
          sameSubject: z.boolean(),
        }),
      )
      .optional()
      .describe('Who denied the same tool with the same arguments before it was asked, the latest first'),
    standingWish: z
      .object({ envelope: z.string(), maxUses: z.number().int(), forMs: z.number().int(), by: z.string() })
      .optional()
      .describe('Approving it approves the like of it, too'),
  })
  .meta({ id: 'ActionDetail' });

export const credentialSchema = z
  .object({
    token: z.string().describe('A JWT for exactly this action; given out once, never stored'),
    jti: z.string(),
    scopes: z.array(z.string()),
    audience: z.string(),
    expiresAt: instant,
  })
  .meta({ id: 'Credential' });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string().describe('Stable: what to branch on'),
    hint: z.string(),
    retry: z.boolean().describe('Whether the same request may succeed later unchanged'),
    instance: z.string().describe('Names this occurrence in the service log'),
    details: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'Problem' });

export const changeSchema = z
  .object({ sign: z.enum(['+', '-', '~']), what: z.string(), detail: z.string().optional() })
  .meta({ id: 'Change' });

export const instantSchema = instant;
/** One that a request names: answers show what is stored. */
export const givenInstantSchema = z.iso
  .datetime({ offset: true, error: 'write an instant such as 2026-12-24T18:00:00Z' })
  .refine((text) => isInstant(new Date(text)), INSTANT_RANGE);
/** A document whose own schema is served elsewhere. */
export const anyObjectSchema = z.looseObject({});
