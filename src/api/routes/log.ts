import { z } from 'zod';
import { checkpoint } from '../../log/checkpoint.ts';
import { logEntry, noSuchEntry, readLog } from '../../log/read.ts';
import { verifyLog } from '../../log/verify.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireLogReader } from '../auth.ts';
import { agentNameSchema, flagSchema, limitSchema, textSchema } from '../schemas.ts';
import { sealSchema, sealView } from '../seal-view.ts';

const tags = ['log'];
const recordSchema = z
  .object({
    seq: z.number().int(),
    hash: z.string().describe('SHA-256(hash before || SHA-256(body)), hex'),
    body: z.string().describe('RFC 8785 JSON, byte for byte what is hashed'),
  })
  .meta({ id: 'LogRecord' });

const placeSchema = z.object({ seq: z.number().int(), hash: z.string() });
const VERIFIED_AT_ONCE = 20_000;

/** The transparency log. */
export function logRoutes(app: Api, deps: RouteDeps): void {
  readRoutes(app, deps);
  const { services } = deps;
  verifyRoute(app, deps);
  app.get(
    '/v1/log/checkpoint',
    {
      schema: {
        operationId: 'logCheckpoint',
        tags,
        summary: 'The head of the log, signed, and where the log begins',
        response: {
          200: placeSchema.extend({
            tail: z.number().int().describe('Committed and not numbered yet'),
            signed: z.string().describe('A JWS over seq and hash by a key of /.well-known/receipt-keys.json'),
            from: placeSchema
              .extend({ seal: sealSchema.optional() })
              .describe('After which entry the log begins; with the seal, where what was before was dropped'),
          }),
        },
      },
    },
    async (request) => {
      requireLogReader(actorOf(request));
      const { from, ...head } = await checkpoint(services);
      return { ...head, from: { ...from, seal: from.seal && sealView(from.seal) } };
    },
  );
}

function verifyRoute(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/log/verify',
    {
      schema: {
        operationId: 'verifyLog',
        tags,
        summary: 'Recompute the chain, so many entries at once',
        description: `Recomputes at most ${VERIFIED_AT_ONCE} entries after the place that is named, by default from where the log begins: before its first entry, or after what was sealed and dropped. Where there is more, next says where: send it as after and hash.`,
        querystring: z
          .object({
            after: z.coerce.number().int().min(0).optional().describe('The number of an entry'),
            hash: z.hash('sha256').optional().describe('The hash of that entry'),
          })
          .refine(
            ({ after, hash }) => (after === undefined) === (hash === undefined),
            'after and hash are of one entry: send both, or neither',
          ),
        response: {
          200: z.object({
            verified: z.boolean(),
            entries: z.number().int().describe('The number of the last entry that was checked'),
            head: z.string().describe('Its hash'),
            tail: z.number().int().describe('Committed and not numbered yet'),
            from: placeSchema.describe('After which entry it began'),
            next: placeSchema.optional().describe('Set: there is more, after this'),
            fault: z.object({ seq: z.number().int(), fault: z.enum(['missing', 'hash', 'form']) }).optional(),
          }),
        },
      },
    },
    async (request) => {
      requireLogReader(actorOf(request));
      const { after, hash } = request.query;
      const given = after === undefined || hash === undefined ? {} : { after: { seq: after, hash } };
      return verifyLog(services.db.sql, { ...given, most: VERIFIED_AT_ONCE });
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
