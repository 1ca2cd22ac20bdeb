import { z } from 'zod';
import { TRAFFIC_DAYS_MAX, trafficOf } from '../../statistics/traffic.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema } from '../schemas.ts';

const trafficSchema = z
  .object({
    agent: z.string(),
    since: z.string().describe('The first write that it is told from'),
    days: z.number(),
    segments: z.array(
      z.object({
        segment: z.string(),
        tool: z.string().nullable().describe('null: any of them'),
        subjectsADay: z.number(),
      }),
    ),
  })
  .meta({ id: 'Traffic' });

/** How much comes of an agent. */
export function trafficRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/agents/:agent/traffic',
    {
      schema: {
        operationId: 'getTraffic',
        tags: ['rollouts'],
        summary: 'Subjects a day for whom a write was asked, per segment and tool',
        description: 'What a rollout has to learn from. Of the newest 50,000 writes of the days asked for.',
        params: z.object({ agent: agentNameSchema }),
        querystring: z.object({
          days: z.coerce.number().int().min(1).max(TRAFFIC_DAYS_MAX).default(30),
        }),
        response: { 200: trafficSchema },
      },
    },
    async (request) => {
      const { since, ...traffic } = await trafficOf(services, actorOf(request), {
        agent: request.params.agent,
        days: request.query.days,
      });
      return { ...traffic, since: since.toISOString() };
    },
  );
}
