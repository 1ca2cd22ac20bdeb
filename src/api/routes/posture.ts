import { z } from 'zod';
import { readPosture } from '../../statistics/posture.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import { agentNameSchema } from '../schemas.ts';

/** `part` of `of`; the share is left out where there is nothing to count. */
export const shareSchema = z
  .object({ part: z.number().int(), of: z.number().int(), share: z.number().optional() })
  .meta({ id: 'Share' });

/** How well agents are covered. */
export function postureRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/posture',
    {
      schema: {
        operationId: 'getPosture',
        tags: ['posture'],
        summary:
          'Per agent and segment: what is classified, confirmed, credentialed, replayable and unpaired',
        querystring: z.object({ agent: agentNameSchema.optional() }),
        response: {
          200: z.object({
            agents: z.array(
              z.object({
                agent: z.string(),
                toolsClassified: shareSchema,
                advisory: z.array(z.string()),
                agentsWord: z
                  .array(z.string())
                  .describe('Segments in which only the agent says what a request is about'),
                segments: z.array(
                  z.object({
                    segment: z.string(),
                    writesConfirmed: shareSchema,
                    perActionCredential: shareSchema,
                    replayable: shareSchema,
                    unpaired: z.number().int(),
                  }),
                ),
              }),
            ),
          }),
        },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      return { agents: await readPosture(services.db.sql, services.clock.now(), agent) };
    },
  );
}
