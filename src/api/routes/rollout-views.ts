import { z } from 'zod';
import type { ListedRollout } from '../../rollouts/list.ts';
import type { RolloutStatusView } from '../../rollouts/status.ts';
import { ROLLOUT_VERBS } from '../../rollouts/verb.ts';
import { anyObjectSchema, instantSchema } from '../schemas.ts';
import { waiverSchema } from './preflights.ts';

const STATUSES = ['running', 'paused', 'completed', 'rolled_back', 'superseded'] as const;

const summaryFields = {
  id: z.string(),
  agent: z.string(),
  release: z.string(),
  status: z.enum(STATUSES),
  startedAt: instantSchema,
  startedBy: z.string(),
  endedAt: instantSchema.optional(),
};
/** A rollout in a list. */
export const summarySchema = z
  .object({
    ...summaryFields,
    reason: z.string(),
    canRollBack: z.boolean().describe('It is open, or it completed and its release is in force'),
  })
  .meta({ id: 'RolloutSummary' });

/** One rollout, with all that `status` shows. */
export const statusSchema = z
  .object({
    ...summaryFields,
    phase: z.string(),
    step: z.number().int(),
    steps: z.number().int(),
    plan: z.string().describe('Against plan: "day 74 of 90, 6 late"'),
    day: z.number().int(),
    watchedUntil: instantSchema
      .optional()
      .describe('Of one that completed: until when it takes back what breaches, where its release says so'),
    watchOver: z.boolean().describe('Whether that is over'),
    waitsFor: z.array(anyObjectSchema).describe('What it waits for, and why'),
    planned: z
      .array(
        z.object({
          step: z.number().int(),
          phase: z.string(),
          fromDay: z.number(),
          toDay: z.number(),
          exposure: z.string(),
          bounds: z.string().describe('What holds the candidate in it beside its grants'),
          gate: z.string(),
          state: z.enum(['done', 'now', 'next', 'later', 'not reached']),
        }),
      )
      .describe('The whole plan, in words'),
    segments: z.array(
      z.object({
        segment: z.string(),
        state: z.string(),
        exposurePercent: z.number(),
        asks: z.boolean().describe('Its evidence made each write of the candidate ask people there'),
        generation: z.number().int(),
        release: z.string().optional(),
        changed: z
          .object({ why: z.enum(['joined', 'narrowed']), day: z.number().int() })
          .optional()
          .describe('Of one that joined later, and of default, which those people left: on which day'),
        reenterFrom: z
          .array(z.number().int())
          .optional()
          .describe('Of one that was rolled back: the earlier steps it may reenter from'),
        verdicts: z.array(anyObjectSchema),
      }),
    ),
    pooled: z.array(anyObjectSchema),
    pairs: z
      .array(
        z.object({
          segment: z.string(),
          verdict: z.string(),
          metrics: z.array(z.object({ metric: z.string(), verdict: z.string() })),
        }),
      )
      .describe('Metrics that are judged together: as good as the worse'),
    worthALook: z
      .array(
        z.object({
          segment: z.string(),
          metric: z.string(),
          why: z.enum(['evidence', 'drift']),
          value: z.number(),
        }),
      )
      .describe('What people should look at although nothing was taken back'),
    lastVerdict: anyObjectSchema
      .optional()
      .describe('The last one judged of a segment, with the counts of each day that it rests on'),
    perDay: z
      .array(anyObjectSchema)
      .optional()
      .describe('Harms a day that each segment may have, and what that rests on; fixed with the baseline'),
    baseline: z.unknown(),
    baselineDigest: z.string().optional(),
    digests: z.record(z.string(), z.string()),
    gateApprovedBy: z.string().optional(),
    builds: z
      .array(z.object({ version: z.string(), counts: z.boolean(), events: z.array(anyObjectSchema) }))
      .describe('The builds it knows, whether their events fill the sample, and what there is of each'),
    subjects: z.object({
      agentsWord: z
        .array(z.string())
        .describe('Segments in which only the agent says what a request is about'),
      perHour: z.number().int().describe('New subjects an hour that it may say there'),
      lastHour: z.number().int(),
      surplus: z.number().int().describe('Subjects that stay in control because they were too many'),
    }),
    arms: z
      .array(
        z.object({
          segment: z.string(),
          generation: z.number().int(),
          seen: z.number().int().describe('Subjects that a write was asked for while chance decided the arm'),
          treated: z.number().int().describe('Those of them in the candidate'),
          expected: z.number().describe('As many would be by the shares that were exposed'),
          logE: z.number(),
          mismatched: z.boolean(),
          mismatchedAt: instantSchema
            .optional()
            .describe('Since when nothing widens because of it, until a person settles it'),
          round: z
            .number()
            .int()
            .describe(
              'How often they were accepted as they are: what is counted is of those who were new since',
            ),
          accepted: z
            .object({ at: instantSchema, by: z.string(), because: z.string() })
            .optional()
            .describe('By whom last'),
          strata: z
            .array(
              z.object({ exposure: z.number().int(), treated: z.number().int(), control: z.number().int() }),
            )
            .describe('By the exposure that they were first seen under, in hundredths of a percent'),
        }),
      )
      .describe('Whether the subjects of the exposed segments split as they are assigned'),
    waivers: z.array(waiverSchema).describe('Regression cases that need not be green, until when'),
    may: z.array(z.enum(ROLLOUT_VERBS)).describe('What whoever asks may do with it'),
    dayMs: z.number().describe('Milliseconds of one day of the plan: 86400000 unless days are scaled'),
  })
  .meta({ id: 'RolloutStatus' });

export const summaryOf = ({ id, agent, release, status, reason, canRollBack, ...times }: ListedRollout) => ({
  id,
  agent,
  release,
  status,
  reason,
  canRollBack,
  startedAt: times.started_at.toISOString(),
  startedBy: times.started_by,
  endedAt: times.ended_at?.toISOString(),
});

export const statusOf = (status: RolloutStatusView) => ({
  ...status,
  startedAt: status.startedAt.toISOString(),
  endedAt: status.endedAt?.toISOString(),
  watchedUntil: status.watchedUntil?.toISOString(),
  waitsFor: status.waitsFor.map((wait) => ({ ...wait })),
  pooled: status.pooled.map((verdict) => ({ ...verdict })),
  lastVerdict: status.lastVerdict === null ? undefined : { ...status.lastVerdict },
  perDay: status.perDay?.map((one) => ({ ...one })),
  segments: status.segments.map((segment) => ({
    ...segment,
    release: segment.release ?? undefined,
    verdicts: segment.verdicts.map((verdict) => ({ ...verdict })),
  })),
  waivers: status.waivers.map((one) => ({ ...one, until: one.until.toISOString() })),
  arms: status.arms.map((arms) => ({
    ...arms,
    strata: [...arms.strata],
    mismatchedAt: arms.mismatchedAt?.toISOString(),
    accepted: arms.accepted ? { ...arms.accepted, at: arms.accepted.at.toISOString() } : undefined,
  })),
  baselineDigest: status.baselineDigest ?? undefined,
  gateApprovedBy: status.gateApprovedBy ?? undefined,
});
