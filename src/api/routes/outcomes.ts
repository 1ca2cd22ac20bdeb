import { z } from 'zod';
import { recordOutcomes } from '../../outcomes/record.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, idSchema, textSchema } from '../schemas.ts';
import { agentOf } from './actions.ts';

const BATCH_MAX = 500;

/** Measurements. */
export function outcomeRoutes(app: Api, { services }: RouteDeps): void {
  app.post(
    '/v1/outcomes',
    {
      schema: {
        operationId: 'recordOutcomes',
        tags: ['outcomes'],
        summary: 'Record a batch of outcomes',
        description:
          'All or nothing, idempotent by id. Outcomes inherit segment, arm and release of their action.',
        body: z.strictObject({
          agent: agentNameSchema.optional().describe("Default: the token's agent"),
          outcomes: z
            .array(
              z.strictObject({
                id: textSchema(200, 1),
                action: idSchema,
                metric: textSchema(100, 1),
                value: z.number(),
                per: z.number().optional().describe('Of a ratio: what the value is set against'),
              }),
            )
            .min(1)
            .max(BATCH_MAX),
        }),
        response: { 200: z.object({ recorded: z.number().int(), repeated: z.number().int() }) },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { agent, outcomes } = request.body;
      return recordOutcomes(services, actor, { agent: agentOf(actor, agent), outcomes });
    },
  );
}
