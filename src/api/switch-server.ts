import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { pingDatabase } from '../db/database.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import { disable } from '../switches/disable.ts';
import { actorOf, authenticateRequest } from './auth.ts';
import { createBudgets } from './budgets.ts';
import type { Hosts } from './hosts.ts';
import { newApp } from './new-app.ts';
import { sendProblem } from './problems.ts';
import { disabledSchema, scopeParams, setSwitchBody } from './routes/switches.ts';

/** A scope, a reason and a flag. */
const BODY_BYTES_MAX = 16_384;
/** By which a client knows the listener before it sends a token. */
const SWITCH_NAME = 'portcullis switch';

/** What the switch's own process answers: `disable`, by the tokens and roles of the API, and whether it is there. */
export async function createSwitchApi(
  services: Pick<Services, 'db' | 'clock' | 'log' | 'wake'>,
  hosts: Hosts & { trustProxy?: readonly string[] },
): Promise<FastifyInstance> {
  const app = newApp(services, {
    bodyLimit: BODY_BYTES_MAX,
    hosts: () => hosts,
    trustProxy: hosts.trustProxy,
  });
  const budgets = await createBudgets(app as unknown as FastifyInstance);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new AppError('not_found', `The switch has no ${request.method} ${request.url.slice(0, 200)}`),
    ),
  );
  app.get('/healthz', async () => ({ status: 'ok', service: SWITCH_NAME }));
  app.get('/readyz', async (_, reply) => {
    const up = await pingDatabase(services.db);
    reply.code(up ? 200 : 503);
    return { status: up ? 'ready' : 'not-ready', service: SWITCH_NAME };
  });
  app.register(async (scope) => {
    const v1 = scope.withTypeProvider<ZodTypeProvider>();
    v1.addHook('onRequest', (request) => authenticateRequest(services, request, budgets));
    v1.put(
      '/v1/switches/*',
      {
        schema: {
          params: scopeParams,
          body: setSwitchBody.omit({ wait: true }),
          response: { 200: disabledSchema, 202: disabledSchema },
        },
      },
      async (request, reply) => {
        const { disabled, ...input } = request.body;
        if (!disabled) throw new AppError('invalid_input', 'The switch only disables: enable by the API');
        const scope = request.params['*'];
        const answer = await disable(services, actorOf(request), { ...input, scope });
        reply.code(answer.state === 'closed' ? 200 : 202);
        return answer;
      },
    );
  });
  await app.ready();
  return app as unknown as FastifyInstance;
}
