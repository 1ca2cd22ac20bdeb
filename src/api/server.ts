import cookie from '@fastify/cookie';
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import packageJson from '../../package.json' with { type: 'json' };
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import { ActionWaiter } from './action-waiter.ts';
import type { Api, ApiOptions, RouteDeps } from './app.ts';
import { authenticateRequest, callerOf, forgetRefused } from './auth.ts';
import { BODY_BYTES_MAX, boundBodies, createBounds } from './bounds.ts';
import { createBudgets } from './budgets.ts';
import { EventStreams } from './event-stream.ts';
import { protectData } from './headers.ts';
import { ManifestReader } from './manifest-reader.ts';
import { type ApiMetrics, createMetrics, measureBounds } from './metrics.ts';
import { newApp } from './new-app.ts';
import { describeApi } from './openapi.ts';
import { registerPages, sendNotFound } from './pages/register.ts';
import { sendProblem } from './problems.ts';
import { decisionRoutes, executionRoutes } from './routes/action-verbs.ts';
import { actionRoutes } from './routes/actions.ts';
import { agentRoutes } from './routes/agents.ts';
import { approvalRoutes } from './routes/approval-verbs.ts';
import { approvalReviewRoutes } from './routes/approvals.ts';
import { autonomyRoutes } from './routes/autonomy.ts';
import { businessRoutes } from './routes/business.ts';
import { caseRoutes } from './routes/cases.ts';
import { cycleReviewRoutes } from './routes/cycle-reviews.ts';
import { deputyRoutes } from './routes/deputies.ts';
import { eventRoutes } from './routes/events.ts';
import { followUpVerbRoutes } from './routes/follow-up-verbs.ts';
import { followUpRoutes } from './routes/follow-ups.ts';
import { groupRoutes } from './routes/groups.ts';
import { healthRoutes } from './routes/health.ts';
import { idRoutes } from './routes/ids.ts';
import { incidentVerbRoutes } from './routes/incident-verbs.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { installationRoutes } from './routes/installation.ts';
import { keyRoutes } from './routes/keys.ts';
import { logRoutes } from './routes/log.ts';
import { otlpRoutes } from './routes/otlp.ts';
import { outcomeRoutes } from './routes/outcomes.ts';
import { postureRoutes } from './routes/posture.ts';
import { preflightRoutes } from './routes/preflights.ts';
import { rateRoutes } from './routes/rates.ts';
import { actionRoute } from './routes/read-action.ts';
import { receiptRoutes } from './routes/receipts.ts';
import { releaseRoutes } from './routes/releases.ts';
import { replayRoutes } from './routes/replays.ts';
import { retentionRoutes } from './routes/retention.ts';
import { reviewRoutes } from './routes/reviews.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { standingRoutes } from './routes/standing-approvals.ts';
import { subjectRoutes } from './routes/subjects.ts';
import { switchRoutes } from './routes/switches.ts';
import { systemRoutes } from './routes/system.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { trafficRoutes } from './routes/traffic.ts';

export type { ApiOptions } from './app.ts';

/** The HTTP API and its pages. It listens when `listen()` is called; `close()` answers what still waits. */
export async function createApi(given: Services, options: ApiOptions = {}): Promise<FastifyInstance> {
  const waiter = new ActionWaiter(given);
  const metrics = createMetrics(given);
  const bounds = createBounds(options.bounds, (bound) => metrics.refused.inc({ bound }));
  measureBounds(metrics, bounds);
  const streams = new EventStreams(given, options.streamLimits);
  const services = wakingToo(given, () => {
    waiter.wake();
    streams.wake();
  });
  const { allowedHosts } = options;
  const hosts = () => ({ publicUrl: services.publicUrl, allowedHosts });
  const app = newApp(services, { bodyLimit: BODY_BYTES_MAX, hosts, trustProxy: options.trustProxy });
  const budgets = await createBudgets(app as unknown as FastifyInstance, options.budgets);
  const manifests = new ManifestReader();
  const deps: RouteDeps = { services, waiter, streams, metrics, budgets, bounds, manifests, options };
  boundBodies(app as unknown as FastifyInstance, bounds.bodyBytes, callerOf);
  app.setNotFoundHandler((request, reply) => {
    if (request.headers.accept?.includes('text/html')) return sendNotFound(services, reply);
    const path = request.url.split('?')[0]?.slice(0, 200);
    return sendProblem(reply, new AppError('not_found', `There is no ${request.method} ${path}`));
  });
  app.addHook('preClose', async () => {
    waiter.close();
    streams.close();
    await manifests.close();
  });
  measure(app, metrics);
  await describeApi(app, packageJson.version);
  app.register(async (scope) => {
    const v1 = scope.withTypeProvider<ZodTypeProvider>();
    v1.addHook('onRequest', (_, reply, done) => {
      protectData(reply);
      done();
    });
    v1.addHook('onRequest', (request) => authenticateRequest(services, request, budgets));
    v1.addHook('onError', async (request, _, error) => forgetRefused(services, request, error));
    for (const register of V1_ROUTES) register(v1, deps);
  });
  healthRoutes(app, deps);
  app.register(async (scope) => {
    await scope.register(cookie);
    registerPages(scope.withTypeProvider<ZodTypeProvider>(), deps);
  });
  options.mount?.(app as unknown as FastifyInstance);
  await app.ready();
  return app as unknown as FastifyInstance;
}

/** The services as they are now and later, except that a wake reaches those who wait here too. */
function wakingToo(given: Services, here: () => void): Services {
  const wake = () => {
    given.wake();
    here();
  };
  return Object.create(given, { wake: { value: wake } }) as Services;
}

const V1_ROUTES: readonly ((app: Api, deps: RouteDeps) => void)[] = [
  actionRoutes,
  actionRoute,
  decisionRoutes,
  executionRoutes,
  approvalRoutes,
  standingRoutes,
  autonomyRoutes,
  approvalReviewRoutes,
  receiptRoutes,
  deputyRoutes,
  replayRoutes,
  preflightRoutes,
  businessRoutes,
  caseRoutes,
  outcomeRoutes,
  otlpRoutes,
  agentRoutes,
  groupRoutes,
  releaseRoutes,
  rolloutRoutes,
  trafficRoutes,
  rateRoutes,
  switchRoutes,
  incidentRoutes,
  cycleReviewRoutes,
  incidentVerbRoutes,
  reviewRoutes,
  followUpRoutes,
  followUpVerbRoutes,
  logRoutes,
  eventRoutes,
  postureRoutes,
  systemRoutes,
  tokenRoutes,
  keyRoutes,
  installationRoutes,
  subjectRoutes,
  retentionRoutes,
  idRoutes,
];

function measure(app: Api, { requests, latency }: ApiMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { method } = request;
    requests.inc({ method, route, status: String(reply.statusCode) });
    const waited = (request.query as { wait?: string } | undefined)?.wait !== undefined;
    if (!waited) latency.observe({ method, route }, reply.elapsedTime / 1_000);
    request.log.debug({ method, route, status: reply.statusCode, ms: reply.elapsedTime }, 'answered');
  });
}
