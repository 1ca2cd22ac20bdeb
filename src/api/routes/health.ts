import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { pingDatabase } from '../../db/database.ts';
import { type Exclusive, holders, LOCKS } from '../../db/exclusive.ts';
import { unsequencedTail } from '../../log/sequence.ts';
import { readReconciled } from '../../records/reconciliation.ts';
import type { Services } from '../../services.ts';
import { openIntents } from '../../switches/disable.ts';
import type { Api, ApiOptions, RouteDeps } from '../app.ts';
import { anyObjectSchema, instantSchema } from '../schemas.ts';
import { oldestWorkAges, readState } from '../store-gauges.ts';

const PROBE_MS = 2_000;
const config = { public: true } as const;
const tags = ['service'];

const live = (operationId: string) => ({
  config,
  schema: {
    operationId,
    tags,
    summary: 'Whether the process answers',
    response: { 200: z.object({ status: z.literal('ok') }) },
  },
});

/** What is needed to watch a process. */
export interface WatchDeps extends Pick<RouteDeps, 'services' | 'metrics' | 'budgets'> {
  options: Pick<ApiOptions, 'temporal' | 'worker'>;
}

/** What every process answers, whatever its roles; no token is needed. A probe is never refused for its rate. */
export function watchRoutes(app: Api, deps: WatchDeps): void {
  readyRoute(app, deps);
  const { metrics, budgets } = deps;
  const onRequest = (request: FastifyRequest) => budgets.anonymous(request);
  app.get('/livez', live('live'), async () => ({ status: 'ok' as const }));
  app.get(
    '/metrics',
    {
      onRequest,
      config,
      schema: {
        operationId: 'metrics',
        tags,
        summary: 'Counts and latencies for Prometheus',
        response: {
          200: { description: 'Prometheus text', content: { 'text/plain': { schema: z.string() } } },
        },
      },
    },
    async (_, reply) => {
      const text = await metrics.registry.metrics();
      return reply.type(metrics.registry.contentType).serializer(String).send(text);
    },
  );
}

/** The same where there is an API, and what verifiers and tools read there. */
export function healthRoutes(app: Api, deps: RouteDeps): void {
  watchRoutes(app, deps);
  const { services, budgets } = deps;
  const onRequest = (request: FastifyRequest) => budgets.anonymous(request);
  app.get('/healthz', live('health'), async () => ({ status: 'ok' as const }));
  app.get(
    '/.well-known/jwks.json',
    {
      onRequest,
      config,
      schema: {
        operationId: 'keys',
        tags,
        summary:
          'The public keys of credentials: the one that signs, and old ones while what they signed lives',
        response: { 200: z.object({ keys: z.array(anyObjectSchema) }) },
      },
    },
    async (_, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      return { keys: services.keys.published(services.clock.now()).map((key) => ({ ...key })) };
    },
  );
  app.get(
    '/.well-known/receipt-keys.json',
    {
      onRequest,
      config,
      schema: {
        operationId: 'receiptKeys',
        tags,
        summary: 'The public keys of receipts and checkpoints: every key that ever signed',
        response: { 200: z.object({ keys: z.array(anyObjectSchema) }) },
      },
    },
    async (_, reply) => {
      reply.header('cache-control', 'public, max-age=300');
      return { keys: services.keys.all().map((key) => ({ ...key })) };
    },
  );
  app.get(
    '/openapi.json',
    {
      onRequest,
      config,
      schema: { operationId: 'openapi', tags, summary: 'This document', response: { 200: anyObjectSchema } },
    },
    async (_, reply) =>
      reply
        .type('application/json')
        .serializer(JSON.stringify)
        .send({ ...app.swagger() }),
  );
}

const stateSchema = z.enum(['up', 'down', 'unknown']);

const workerSchema = z.object({
  build: z.string().describe("Of the workflows' code"),
  state: z
    .enum(['starting', 'serving', 'replaced', 'refused', 'unreached'])
    .describe('replaced: another build serves. refused, unreached: not yet, and tried again'),
  since: z.string(),
  detail: z.string().optional(),
  mend: z.string().optional().describe('What to do'),
});

const backgroundSchema = z
  .array(z.object({ work: z.string(), by: z.string().optional() }))
  .describe(
    'What one process of the installation does at a time, and which: host and process id; without: nobody does it now',
  );

const workflowsSchema = z.object({
  comparedAt: z.string().optional().describe('When open records were last compared with workflows'),
  open: z.int().describe('Records that a workflow must work for'),
  restarted: z
    .array(z.object({ kind: z.string(), found: z.string(), count: z.int(), lastAt: z.string() }))
    .describe('Workflows that were missing in the last 24 h and were started again, by what was found'),
});

function readyRoute(app: Api, { services, options }: WatchDeps): void {
  const readySchema = z.object({
    status: z.enum(['ready', 'not-ready']),
    database: stateSchema,
    temporal: stateSchema.describe('Down: decisions still count; cards and rollouts follow when it is back'),
    switch: stateSchema.describe('The process of its own that drops the gate; unknown: not of this process'),
    switchUrl: z.string().optional().describe('Where it listens: the first address to ask to disable'),
    worker: workerSchema.optional().describe('Where this process has the role worker'),
    workflows: workflowsSchema.optional(),
    background: backgroundSchema.optional(),
    closing: z
      .object({ stops: z.number().int(), since: instantSchema })
      .optional()
      .describe(
        'Stops that were asked for and still wait for the gate, and since when; the service goes on with them',
      ),
    unsequencedTail: z.number().int().optional().describe('Committed entries of the log without a number'),
    oldestWork: z
      .record(z.string(), z.number())
      .optional()
      .describe('Seconds that the oldest work of each background loop waits; 0: none does'),
    epoch: z.number().int().optional().describe('Rises with every change of what is in force'),
    stopsInForce: z.number().int().optional().describe('How many scopes are switched off'),
  });
  app.get(
    '/readyz',
    {
      config,
      schema: {
        operationId: 'ready',
        tags,
        summary: 'Whether questions can be answered',
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_, reply) => {
      const [database, temporal] = await Promise.all([
        probe(() => pingDatabase(services.db)),
        options.temporal ? probe(options.temporal) : ('unknown' as const),
      ]);
      const { sql } = services.db;
      const now = services.clock.now();
      const [tail, workflows, closing, held, oldestWork, state] =
        database === 'up'
          ? await Promise.all([
              unsequencedTail(sql).catch(() => undefined),
              readReconciled(sql, now).catch(() => undefined),
              openIntents(sql, now).catch(() => undefined),
              holders(sql).catch(() => undefined),
              oldestWorkAges(sql, now).catch(() => undefined),
              readState(sql).catch(() => undefined),
            ])
          : [];
      const ready = database === 'up';
      reply.code(ready ? 200 : 503);
      return {
        status: ready ? ('ready' as const) : ('not-ready' as const),
        database,
        temporal,
        switch: switchState(services),
        switchUrl: services.switchProcess?.url,
        worker: options.worker?.(),
        workflows,
        background: held && Object.keys(LOCKS).map((work) => ({ work, by: held[work as Exclusive] })),
        closing: closing?.[0] && { stops: closing.length, since: closing[0].at.toISOString() },
        unsequencedTail: tail,
        oldestWork,
        ...state,
      };
    },
  );
}

const switchState = ({ switchProcess }: Services): 'up' | 'down' | 'unknown' => {
  if (!switchProcess) return 'unknown';
  return switchProcess.isUp() ? 'up' : 'down';
};

/** An answer that does not come in time is a no; one that came while this thread was busy elsewhere is read first. */
async function probe(ask: () => Promise<boolean>): Promise<'up' | 'down'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => setImmediate(() => resolve(false)), PROBE_MS);
  });
  try {
    return (await Promise.race([ask().catch(() => false), late])) ? 'up' : 'down';
  } finally {
    clearTimeout(timer);
  }
}
