import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { REPLAYED_MAX } from '../../replay/replay.ts';
import { preflight } from '../../rollouts/preflight-view.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, instantSchema, textSchema } from '../schemas.ts';
import { manifestBody } from './agents.ts';
import { releaseOfBody } from './releases.ts';
import { periodAsked, periodQuery, replaySchema, replayView } from './replays.ts';

const count = z.number().int();
const lines = z.array(z.object({ case: z.string(), why: z.string() }));

export const waiverSchema = z
  .object({ case: z.string(), person: z.string(), reason: z.string(), until: instantSchema })
  .meta({ id: 'CaseWaiver' });

const preflightSchema = z
  .object({
    agent: z.string(),
    release: z.string(),
    releaseDigest: z.string(),
    ready: z.boolean().describe('Whether it would start now'),
    blockers: z.array(z.object({ code: z.string(), message: z.string(), hint: z.string() })),
    suite: z.object({
      everAdmitted: z.boolean().describe('Whether the agent ever had an admitted case'),
      green: count,
      notApplicable: count,
      red: lines,
      unevaluable: lines,
    }),
    strength: z
      .object({ weakenings: count, noticed: count, unnoticed: z.array(z.string()) })
      .nullable()
      .describe('How much of what could be weakened the cases would notice; null without a case'),
    waivers: z.array(waiverSchema),
    replay: replaySchema,
  })
  .meta({ id: 'Preflight' });

/** What a start would say, without starting. */
export function preflightRoutes(app: Api, { services, manifests }: RouteDeps): void {
  app.post(
    '/v1/preflights',
    {
      schema: {
        operationId: 'preflight',
        tags: ['rollouts'],
        summary: 'What starting a release would say',
        description:
          'As JSON or as YAML. Regression cases, what weakening they would notice, waivers, replay, and every problem that start would refuse it for. Nothing is started.',
        querystring: z.object({
          agent: agentNameSchema.describe('The agent of the release'),
          since: periodQuery('30d').since,
          most: z.coerce.number().int().min(1).max(REPLAYED_MAX).default(REPLAYED_MAX),
          noneYet: textSchema(500, 1).optional().describe('As start would be told that there is no case yet'),
        }),
        body: manifestBody,
        response: { 200: preflightSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { agent, since, most, noneYet } = request.query;
      requireRole(actor, ['release-manager', 'auditor'], agent);
      periodAsked(services, { since });
      const release = await releaseOfBody({ services, manifests }, agent, request.body);
      const { replay, waivers, suite, ...found } = await preflight(services, actor, {
        agent,
        release,
        since,
        most,
        noneYet,
      });
      return {
        ...found,
        suite: { ...suite, red: [...suite.red], unevaluable: [...suite.unevaluable] },
        waivers: waivers.map((one) => ({ ...one, until: one.until.toISOString() })),
        replay: replayView(replay),
      };
    },
  );
}
