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
  checklist: z.array(z.string()).default([]),
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

export const stepSchema = z.strictObject({
  days: z.number().positive().max(90),
  exposure: z.record(z.string(), percentSchema).describe('Percent per segment; "*" is every other'),
  gate: gateSchema.prefault({}),
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

export const guardrailSchema = z.strictObject({
  metric: nameSchema,
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
  action: z.enum(['rollback', 'report']).default('rollback'),
  on: onSchema.optional().describe('What each verdict does to widening, and to what is out'),
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
  escalation: z.string().default('A breach is told to on-call at once, a hold to the owners the same day.'),
  baseline: z
    .strictObject({ days: z.number().positive().max(90), gate: gateSchema.prefault({}) })
    .prefault({ days: 30 }),
  constrained: z.array(stepSchema).min(1).optional(),
  scale: z.array(stepSchema).min(1).optional(),
  guardrails: z.array(guardrailSchema).default([]),
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
export type RolloutPlan = z.infer<typeof rolloutSchema>;
