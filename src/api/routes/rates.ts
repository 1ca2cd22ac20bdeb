import { z } from 'zod';
import { applyRates } from '../../agents/rates.ts';
import { ratesSchema } from '../../domain/rates.ts';
import { AppError } from '../../errors.ts';
import { ratesOf } from '../../records/rates.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireReader } from '../auth.ts';
import { agentNameSchema } from '../schemas.ts';

const params = z.object({ agent: agentNameSchema });
const tags = ['agents'];

/** What harm costs: shown beside the evidence, never a part of it. */
export function rateRoutes(app: Api, { services }: RouteDeps): void {
  app.put(
    '/v1/agents/:agent/rates',
    {
      schema: {
        operationId: 'applyRates',
        tags,
        summary: 'Declare what harm costs',
        params,
        body: ratesSchema,
        response: {
          200: z.object({
            agent: z.string(),
            revision: z.number().int(),
            digest: z.string(),
            changed: z.boolean(),
          }),
        },
      },
    },
    async (request) => {
      const { body, params: named } = request;
      if (body.agent !== named.agent)
        throw new AppError('invalid_input', `These are rates of "${body.agent}", not of "${named.agent}"`);
      return applyRates(services, actorOf(request), body);
    },
  );
  app.get(
    '/v1/agents/:agent/rates',
    {
      schema: {
        operationId: 'getRates',
        tags,
        summary: 'What harm costs, as it is declared now',
        params,
        response: { 200: ratesSchema },
      },
    },
    async (request) => {
      const { agent } = request.params;
      requireReader(actorOf(request), agent);
      const rates = await ratesOf(services.db.sql, agent);
      if (!rates) throw new AppError('not_found', `No rates of "${agent}" are declared`);
      return rates;
    },
  );
}
