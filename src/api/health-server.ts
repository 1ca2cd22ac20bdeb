import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import type { ApiOptions } from './app.ts';
import { createBudgets } from './budgets.ts';
import { createMetrics } from './metrics.ts';
import { newApp } from './new-app.ts';
import { sendProblem } from './problems.ts';
import { watchRoutes } from './routes/health.ts';

/** Nothing is sent to it that has a body, but what is mounted says so itself. */
const BODY_BYTES_MAX = 1_024;

/**
 * What a process without the API answers: `/livez`, `/readyz` and `/metrics`, by which whoever runs it watches it, and
 * what another surface mounts.
 */
export async function createHealthApi(
  services: Services,
  options: Omit<ApiOptions, 'signIn' | 'streamLimits'> = {},
): Promise<FastifyInstance> {
  const { allowedHosts, trustProxy, mount } = options;
  const hosts = () => ({ publicUrl: services.publicUrl, allowedHosts });
  const app = newApp(services, { bodyLimit: BODY_BYTES_MAX, hosts, trustProxy });
  const budgets = await createBudgets(app as unknown as FastifyInstance, options.budgets);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      new AppError(
        'not_found',
        `This process has no ${request.method} ${request.url.slice(0, 200)}: it serves no API`,
      ),
    ),
  );
  watchRoutes(app, { services, options, budgets, metrics: createMetrics(services) });
  mount?.(app as unknown as FastifyInstance);
  await app.ready();
  return app as unknown as FastifyInstance;
}
