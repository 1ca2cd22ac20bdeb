import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { type Period, periodOf } from '../../domain/period.ts';
import { LEFT_OUT } from '../../domain/replay/replay.ts';
import { AppError } from '../../errors.ts';
import { REPLAYED_MAX, type ReplayedRelease, replayRelease } from '../../replay/replay.ts';
import type { Services } from '../../services.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, instantSchema } from '../schemas.ts';
import { manifestBody } from './agents.ts';
import { releaseOfBody } from './releases.ts';

const PERIOD_TEXT_MAX = 40;
const count = z.number().int();
const outcomesSchema = z.object({ allowed: count, pending: count, denied: count });
const exampleSchema = z.object({
  id: z.string(),
  shown: z.string().describe('Its arguments on one line, redacted as on its card'),
});
const examples = z.array(exampleSchema);

/** A period as the address names it. */
export const periodQuery = (since: string) => ({
  since: z
    .string()
    .max(PERIOD_TEXT_MAX)
    .default(since)
    .describe('How long before its end, as 30d, or an instant'),
  until: z.string().max(PERIOD_TEXT_MAX).optional().describe('An instant; default: now'),
});

/** @throws AppError `invalid_input` */
export function periodAsked(
  { clock, dayMs }: Pick<Services, 'clock' | 'dayMs'>,
  asked: { since: string; until?: string | undefined },
): Period {
  try {
    return periodOf(asked, clock.now(), dayMs);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new AppError('invalid_input', `Cannot look at that period: ${error.message}`);
  }
}

export const replaySchema = z
  .object({
    agent: z.string(),
    release: z.string(),
    releaseDigest: z.string(),
    since: instantSchema,
    until: instantSchema,
    days: z.number(),
    dayMs: z.number(),
    most: count.describe('How many are looked at, at most: the newest writes, then the newest reads'),
    cut: z.boolean().describe('There was more'),
    decided: count.describe('Actions decided again'),
    same: count,
    before: outcomesSchema,
    after: outcomesSchema,
    newlyAllowed: z.object({ asked: count, denied: count }).describe('By what they were before'),
    newlyAsked: z.object({ allowed: count, denied: count }),
    newlyDenied: z.object({ allowed: count, asked: count }),
    erred: z
      .object({ actions: count, examples })
      .describe('Denied because a condition of the release failed on them: a defect of it'),
    refused: z
      .object({
        writes: count,
        unasked: count.describe('Of those it would now let run unasked'),
        examples: z.array(exampleSchema.extend({ segment: z.string(), tool: z.string() })),
      })
      .describe('Writes that people refused: they stay refused of their time'),
    sentence: z.string().describe('The same in words'),
    unasked: z
      .object({
        right: count.describe('Approved unedited and not called wrong afterwards'),
        unknown: count.describe('Nobody said anything'),
        wrong: count.describe('Denied, edited or called wrong afterwards'),
        examples: z.array(
          z.object({ id: z.string(), tool: z.string(), because: z.enum(['denied', 'edited', 'corrected']) }),
        ),
      })
      .describe('What people had said of the writes that would run unasked'),
    parts: z
      .array(
        z.object({
          segment: z.string(),
          tool: z.string(),
          decided: count,
          same: count,
          newlyAllowed: count,
          newlyAsked: count,
          newlyDenied: count,
          examples: z.object({ newlyAllowed: examples, newlyAsked: examples, newlyDenied: examples }),
        }),
      )
      .describe('By segment and tool'),
    approvals: z.object({ before: count, after: count }).describe('People who had to agree'),
    weekly: z
      .array(z.object({ person: z.string(), before: z.number(), after: z.number() }))
      .describe('Questions a week that each person may be asked'),
    leftOut: z
      .record(z.enum(LEFT_OUT), count)
      .describe('Says nothing of the release: erased, or something else differs since then'),
    digest: z.string().describe('SHA-256 of all the rest (RFC 8785): the same replay has the same'),
  })
  .meta({ id: 'Replay' });

export const replayView = ({ since, until, ...replayed }: ReplayedRelease) => ({
  ...replayed,
  since: since.toISOString(),
  until: until.toISOString(),
});

/** Releases replayed on what was recorded. */
export function replayRoutes(app: Api, { services, manifests }: RouteDeps): void {
  app.post(
    '/v1/replays',
    {
      schema: {
        operationId: 'replay',
        tags: ['releases'],
        summary: 'What a release would have answered in a period',
        description:
          'As JSON or as YAML. Decides the recorded actions again, in the segment and arm they had, and compares. Nothing is written, and nothing executes. Limits, switches, standing approvals and earned autonomy are not played.',
        querystring: z.object({
          agent: agentNameSchema.describe('Whose recorded actions: the agent of the release'),
          ...periodQuery('30d'),
          most: z.coerce.number().int().min(1).max(REPLAYED_MAX).default(REPLAYED_MAX),
        }),
        body: manifestBody,
        response: { 200: replaySchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { agent, most, ...asked } = request.query;
      requireRole(actor, ['release-manager', 'auditor'], agent);
      const period = periodAsked(services, asked);
      const release = await releaseOfBody({ services, manifests }, agent, request.body);
      return replayView(await replayRelease(services, actor, { agent, release, most, ...period }));
    },
  );
}
