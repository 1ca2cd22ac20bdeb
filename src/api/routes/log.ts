import { z } from 'zod';
import { checkpoint } from '../../log/checkpoint.ts';
import { logEntry, noSuchEntry, readLog } from '../../log/read.ts';
import { verifyLog } from '../../log/verify.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireLogReader } from '../auth.ts';
import { agentNameSchema, flagSchema, limitSchema, textSchema } from '../schemas.ts';

const tags = ['log'];
const recordSchema = z
  .object({
    seq: z.number().int(),
    hash: z.string().describe('SHA-256(hash before || SHA-256(body)), hex'),
    body: z.string().describe('RFC 8785 JSON, byte for byte what is hashed'),
  })
  .meta({ id: 'LogRecord' });

/** The transparency log. */
export function logRoutes(app: Api, deps: RouteDeps): void {
  readRoutes(app, deps);
  const { services } = deps;
  app.get(
    '/v1/log/verify',
    {
      schema: {
        operationId: 'verifyLog',
        tags,
        summary: 'Recompute the chain from the first entry',
        response: {
          200: z.object({
            verified: z.boolean(),
            entries: z.number().int(),
            head: z.string(),
            tail: z.number().int().describe('Committed and not numbered yet'),
            fault: z.object({ seq: z.number().int(), fault: z.enum(['missing', 'hash', 'form']) }).optional(),
          }),
        },
      },
    },
    async (request) => {
      requireLogReader(actorOf(request));
      return verifyLog(services.db.sql);
    },
  );
  app.get(
    '/v1/log/checkpoint',
    {
      schema: {
        operationId: 'logCheckpoint',
        tags,
        summary: 'The head of the log, signed',
        response: {
          200: z.object({
            seq: z.number().int(),
            hash: z.string(),
            tail: z.number().int(),
            signed: z.string().describe('A JWS over seq and hash by a key of /.well-known/receipt-keys.json'),
          }),
        },
      },
    },
    async (request) => {
      requireLogReader(actorOf(request));
      return checkpoint(services);
    },
  );
}

function readRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/log',
    {
      schema: {
        operationId: 'readLog',
        tags,
        summary: 'Numbered entries in order',
        querystring: z.object({
          after: z.coerce.number().int().min(0).optional().describe('Entries with a larger number'),
          agent: agentNameSchema.optional(),
          kind: textSchema(100).optional(),
          ref: textSchema(300).optional().describe('The action, rollout, switch or token it is about'),
          limit: limitSchema.max(1_000).default(100),
          newestFirst: flagSchema,
        }),
        response: {
          200: z.object({
            entries: z.array(recordSchema),
            agent: z
              .string()
              .optional()
              .describe('Set: only entries about this agent are shown, so that gaps say nothing'),
          }),
        },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const { newestFirst, ...query } = request.query;
      requireLogReader(actor, query.agent);
      const agent = query.agent ?? actor.agent;
      return {
        agent,
        entries: await readLog(services.db.sql, { ...query, agent, newestFirst: newestFirst === 'true' }),
      };
    },
  );
  app.get(
    '/v1/log/entries/:seq',
    {
      schema: {
        operationId: 'getLogEntry',
        tags,
        summary: 'One entry by its number',
        params: z.object({ seq: z.coerce.number().int().min(1) }),
        response: { 200: recordSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireLogReader(actor);
      const { seq } = request.params;
      const record = await logEntry(services.db.sql, seq);
      const { agent } = JSON.parse(record.body) as { agent?: string };
      if (actor.agent !== undefined && actor.agent !== agent) {
        throw noSuchEntry(seq);
      }
      return record;
    },
  );
}
