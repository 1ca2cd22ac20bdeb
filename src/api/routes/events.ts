import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { ACTION_STATES } from '../../domain/action.ts';
import { AppError } from '../../errors.ts';
import { EVENT_TOPICS } from '../../events/event.ts';
import { logHead } from '../../events/read.ts';
import { ownAction } from '../../records/action.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, callerOf, mayReadLog, tokenIdOf } from '../auth.ts';
import { untilClosed } from '../bounds.ts';
import { agentNameSchema, anyObjectSchema, idSchema, instantSchema } from '../schemas.ts';

const KIND = `(${EVENT_TOPICS.join('|')})(\\.[a-z_-]+)?`;

const placeSchema = z.string().regex(/^\d{1,15}$/, 'write the number of an event');
const eventSchema = z
  .object({
    seq: z.number().int().describe('Its number in the log, and the id of the message'),
    at: instantSchema,
    kind: z.string(),
    agent: z.string().optional(),
    action: z.string().optional().describe('The action it is about'),
    state: z.enum(ACTION_STATES).optional().describe('The state the action came to'),
    revision: z.number().int().optional(),
    ref: z.string().optional().describe('Only for those who may read the log'),
    actor: z.string().optional().describe('Only for those who may read the log'),
    data: anyObjectSchema.optional().describe('Only for those who may read the log'),
  })
  .meta({ id: 'Event' });

/** What happens, as it happens. */
export function eventRoutes(app: Api, { services, streams, metrics, bounds }: RouteDeps): void {
  app.get(
    '/v1/events',
    {
      // A HEAD would hold a stream that nobody reads.
      exposeHeadRoute: false,
      schema: {
        operationId: 'followEvents',
        tags: ['log'],
        summary: 'What happens, as server-sent events, in the order of the log',
        description:
          'One message for each entry of the log whose kind begins with ' +
          `${EVENT_TOPICS.map((topic) => `\`${topic}.\``).join(', ')}: \`id\` is its number, \`event\` its kind, \`data\` the JSON below. After a lost connection send the last id as Last-Event-ID: nothing is missed, nothing comes twice. Without it, and without \`after\`, the stream begins now. Reasons and people are shown to those who may read the log. An agent's token sees what concerns its agent. The stream ends when the token does, and when it is not read.`,
        querystring: z.object({
          agent: agentNameSchema.optional(),
          action: idSchema.optional(),
          kinds: z
            .string()
            .regex(
              new RegExp(`^${KIND}(,${KIND})*$`),
              `write kinds or their first words (${EVENT_TOPICS.join(', ')}), such as action.denied,switch`,
            )
            .optional()
            .describe('Whole kinds or their first words: `action.denied,switch`'),
          after: placeSchema.optional().describe('As Last-Event-ID, which counts more'),
        }),
        headers: z.object({ 'last-event-id': placeSchema.optional() }),
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: eventSchema } } },
        },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { agent, action, kinds, after } = request.query;
      const filter = { agent: agentScope(actor, agent), action, kinds: kinds?.split(',') };
      // Of one that does not exist nothing would ever come.
      if (action !== undefined) await ownAction(services.db.sql, actor, action);
      const known = request.headers['last-event-id'] ?? after;
      const head = await logHead(services.db.sql);
      assertThere(known, head);
      const release = streams.isClosed ? undefined : bounds.streams.take(callerOf(request));
      if (!release) throw new AppError('too_many_streams', 'This process is closing', { retryAfterS: 1 });
      untilClosed(reply.raw, release);
      open(reply);
      // Fastify does not measure what it does not send.
      metrics.requests.inc({ method: 'GET', route: '/v1/events', status: '200' });
      streams.add(reply.raw, {
        filter,
        whole: mayReadLog(actor),
        tokenId: tokenIdOf(actor),
        after: known === undefined ? head : Number(known),
      });
      return reply;
    },
  );
}

/** A restored log may end before what a client knows: it has to look anew instead of waiting for what never comes. */
function assertThere(known: string | undefined, head: number): void {
  if (known === undefined || Number(known) <= head) return;
  throw new AppError(
    'invalid_input',
    `The log ends at ${head}, before ${known}: read the state anew, then follow without Last-Event-ID`,
  );
}

/** The answer is the streams' from here on. */
function open(reply: FastifyReply): void {
  reply.headers({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // Proxies that buffer would hold events back.
    'x-accel-buffering': 'no',
    // Nothing else comes on this connection: it closes with the stream.
    connection: 'close',
  });
  reply.hijack();
  reply.raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders);
}
