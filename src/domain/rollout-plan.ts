import { z } from 'zod';
import { nameSchema } from './agent.ts';
import { isMultipleOf } from './schema/decimal.ts';
import { durationBetween } from './schema/duration.ts';
import { wordsSchema } from './schema/words.ts';

export const GATE_REMIND_AFTER = '2d';
export const GATE_ESCALATE_AFTER = '7d';
export const GATE_EXPIRE_AFTER = '21d';

export const gateSchema = z.strictObject({
  sample: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe('Events each exposed segment needs before widening'),
  verdicts: z.enum(['no-breach', 'ok']).optional().describe('Default: no-breach, and ok before and in scale'),
  checklist: z.array(z.string()).default([]).describe('What the owner confirms with the approval'),
  approve: z.boolean().default(true).describe('A person (owner) last'),
  remindAfter: durationBetween('1h', '90d')
    .default(GATE_REMIND_AFTER)
    .describe('How often the owners are reminded of a gate that only they hold up'),
  escalateAfter: durationBetween('1h', '365d')
    .optional()
    .describe(`When on-call is told of it too. Default: ${GATE_ESCALATE_AFTER}`),
  expireAfter: durationBetween('1h', '365d')
    .optional()
    .describe(
      `When a gate that nobody answered holds the rollout: paused, until somebody resumes it. Default: ${GATE_EXPIRE_AFTER}`,
    ),
});

/** Exposure is counted in hundredths of a percent: what is finer would be another number. */
const percentSchema = z
  .number()
  .min(0)
  .max(100)
  .refine((percent) => isMultipleOf(percent, 0.01), 'write 0 to 100 in steps of 0.01');

const mostSchema = z.int().min(1).max(1_000_000);

export const stepSchema = z.strictObject({
  days: z.number().positive().max(90).describe('How long it is at least'),
  exposure: z.record(z.string(), percentSchema).describe('Percent per segment; "*" is every other'),
  writes: z
    .enum(['ask', 'as-granted'])
    .optional()
    .describe(
      'ask: people confirm each write of the candidate, whatever a grant, a rule, a standing approval or earned trust would let run. Default: ask in constrained, as-granted in scale',
    ),
  tools: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('What the candidate may use so far; a later step may only add. Default: all that it grants'),
  limits: z
    .strictObject({
      perHour: mostSchema.optional().describe('Begins in any hour'),
      perDay: mostSchema.optional().describe('Begins in any 24 hours'),
    })
    .optional()
    .describe('What each grant of the candidate may begin at most, where its own limit is not lower'),
  gate: gateSchema.prefault({}).describe('What must hold to leave it'),
});

const perDaySchema = z.number().min(0.001).max(1_000_000);

/** What a verdict does; an outage is never a pass, and silence neither. */
const onSchema = z.strictObject({
  breach: z
    .enum(['rollback', 'hold'])
    .default('rollback')
    .describe('hold: what is out stays, nothing widens, and people decide'),
  inconclusive: z
    .enum(['as-gate', 'wait', 'pass'])
    .default('as-gate')
    .describe('as-gate: waits where the gate wants ok, passes where it wants no-breach'),
  'no-data': z
    .enum(['wait', 'hold'])
    .default('wait')
    .describe('hold: pauses the rollout and tells on-call when nobody says any more what came of events'),
  'source-down': z
    .enum(['wait', 'hold'])
    .default('wait')
    .describe('hold: pauses the rollout and tells on-call when its source cannot be read'),
});

const eValueSchema = z.number().min(2).max(1_000_000_000);

/** What evidence that does not suffice for a breach does; each by the e-value that it takes. */
const earlySchema = z.strictObject({
  ask: eValueSchema
    .optional()
    .describe('People confirm each write of the candidate there, until somebody eases it'),
  hold: eValueSchema.optional().describe('The rollout is paused, and on-call is told'),
  shrink: eValueSchema
    .optional()
    .describe('Its exposure goes back to that of the step before, or to half, and the rollout is paused'),
});

export const guardrailSchema = z.strictObject({
  metric: nameSchema.describe('One of the metrics of the agent'),
  limit: z
    .union([
      z.number().positive().describe('A share of the events, such as 0.02'),
      z.strictObject({
        baseline: z
          .strictObject({
            margin: z
              .number()
              .min(0)
              .max(10)
              .describe('How much worse is let pass: 0.5 is half as much again'),
          })
          .describe('Against the locked baseline of the segment: its upper bound and the margin'),
      }),
    ])
    .describe('What the metric may be: a figure, or against the baseline'),
  reason: wordsSchema.describe('Why this limit'),
  perDay: z
    .union([perDaySchema, z.record(z.string(), perDaySchema)])
    .optional()
    .describe(
      'Harms a day that a segment may have when all of it is exposed, in each one or by name; "*" is every other. Default: limit x what begins a day in the baseline',
    ),
  control: z
    .union([
      z.strictObject({
        ratio: z
          .number()
          .min(1)
          .max(100)
          .describe('How many times the share of harmful subjects that the release in force has is let pass'),
      }),
      z.strictObject({
        more: z
          .number()
          .min(0)
          .describe(
            'Of a sum with a cap: how much more than in the release in force a subject may come to in the mean',
          ),
      }),
    ])
    .optional()
    .describe(
      'Judges it against the release in force at the same time as well, as long as a part of the segment is exposed',
    ),
  share: z.number().positive().default(1).describe('Its part of alpha, against the other guardrails'),
  action: z
    .enum(['rollback', 'report'])
    .default('rollback')
    .describe('report: only says what it would have done'),
  on: onSchema.optional().describe('What each verdict does to widening, and to what is out'),
  early: earlySchema
    .optional()
    .describe(
      'What is done before a breach, once in a segment, when its e-value reaches so much: 20 is met by one sound segment in 20 at most',
    ),
});

export const rolloutSchema = z.strictObject({
  subject: z
    .string()
    .default('subject')
    .describe(
      'What is assigned to an arm: assertion.sub or context.<attribute>, or a word for what the agent says',
    ),
  newSubjectsPerHour: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(100)
    .describe('Only where the agent says the subject: more new ones than this in an hour stay in control'),
  alpha: z
    .number()
    .gt(0)
    .max(0.5)
    .default(0.05)
    .describe('Chance of any false automatic rollback in its life'),
  signedOffBy: nameSchema.optional().describe('Who signed the definitions, escalation and rollback triggers'),
  asks: nameSchema
    .optional()
    .describe(
      'The approver group that confirms a write where each write asks and its grant asks nobody. Default: the only one',
    ),
  escalation: z
    .string()
    .default('A breach is told to on-call at once, a hold to the owners the same day.')
    .describe('Who is told of what, in words'),
  baseline: z
    .strictObject({
      days: z.number().positive().max(90).describe('How long it is at least'),
      gate: gateSchema.prefault({}).describe('What must hold to leave it'),
    })
    .prefault({ days: 30 })
    .describe('The first step: nobody is exposed, and what is there is counted'),
  constrained: z
    .array(stepSchema)
    .min(1)
    .optional()
    .describe(
      'The steps in which few are exposed. Default: 10 and 25 percent of the first segment that is not representative',
    ),
  scale: z
    .array(stepSchema)
    .min(1)
    .optional()
    .describe('The steps up to everybody. Default: 50 and 100 percent'),
  guardrails: z.array(guardrailSchema).default([]).describe('What takes it back'),
  watchFor: durationBetween('1h', '3650d')
    .optional()
    .describe(
      'How long after it completed its guardrails go on to take back what breaches. Until then their metrics cannot be redefined. Default: as long as its release is in force',
    ),
  pairs: z
    .array(z.array(nameSchema).min(2).max(5))
    .max(20)
    .optional()
    .describe(
      'Metrics that are judged together, such as latency and cost: one line on every screen, as good as the worse',
    ),
});

export type Gate = z.infer<typeof gateSchema>;
export type Guardrail = z.infer<typeof guardrailSchema>;
/** What a verdict does, by its word. */
export type OnVerdict = z.infer<typeof onSchema>;
/** What is done before a breach, by the e-value that it takes. */
export type Early = z.infer<typeof earlySchema>;
export type StepLimits = NonNullable<z.infer<typeof stepSchema>['limits']>;
export type RolloutPlan = z.infer<typeof rolloutSchema>;
