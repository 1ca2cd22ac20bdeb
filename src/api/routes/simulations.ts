import { z } from 'zod';
import { requireRole } from '../../actor.ts';
import { LEFT_OUT } from '../../domain/decision/simulation.ts';
import { SIMULATED_DAYS_MAX, simulateRelease } from '../../statistics/simulate.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, instantSchema } from '../schemas.ts';
import { manifestBody } from './agents.ts';
import { releaseOfBody } from './releases.ts';

const count = z.number().int();
const outcomesSchema = z.object({ allowed: count, pending: count, denied: count });

const simulationSchema = z
  .object({
    agent: z.string(),
    release: z.string(),
    since: instantSchema,
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
    approvals: z.object({ before: count, after: count }).describe('People who had to agree'),
    weekly: z
      .array(z.object({ person: z.string(), before: z.number(), after: z.number() }))
      .describe('Questions a week that each person may be asked'),
    leftOut: z
      .record(z.enum(LEFT_OUT), count)
      .describe('Says nothing of the release: erased, or something else differs since then'),
  })
  .meta({ id: 'Simulation' });

/** Releases tried on what was recorded. */
export function simulationRoutes(app: Api, { services, manifests }: RouteDeps): void {
  app.post(
    '/v1/agents/:agent/simulations',
    {
      schema: {
        operationId: 'simulate',
        tags: ['approvals'],
        summary: 'What a release would have answered in the last days',
        description:
          'As JSON or as YAML. Decides the recorded actions again, in the segment and arm they had, and compares. Nothing is written. Limits, switches, standing approvals and earned autonomy are not played.',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object({
          days: z.coerce.number().int().min(1).max(SIMULATED_DAYS_MAX).default(90),
        }),
        body: manifestBody,
        response: { 200: simulationSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { agent } = request.params;
      requireRole(actor, ['release-manager', 'auditor'], agent);
      const release = await releaseOfBody({ services, manifests }, agent, request.body);
      const { since, ...simulated } = await simulateRelease(services, actor, {
        agent,
        release,
        days: request.query.days,
      });
      return { ...simulated, since: since.toISOString() };
    },
  );
}
