import { z } from 'zod';
import type { Erasure } from '../../subjects/empty.ts';
import { eraseSubject, erasureById } from '../../subjects/erase.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, instantSchema, reasonSchema, textSchema } from '../schemas.ts';

const tags = ['subjects'];

const erasureSchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    state: z
      .enum(['done', 'going-on'])
      .describe('going-on: the service goes on with it, also after a restart'),
    actions: z.number().int().describe('Emptied until now: writes, and reads that people were asked about'),
    reads: z.number().int(),
    askedAt: instantSchema,
    doneAt: instantSchema.optional(),
  })
  .meta({ id: 'Erasure' });

const view = ({ id, agent, actions, reads, at, done_at }: Erasure): z.infer<typeof erasureSchema> => ({
  id,
  agent,
  state: done_at ? 'done' : 'going-on',
  actions,
  reads,
  askedAt: at.toISOString(),
  doneAt: done_at?.toISOString(),
});

/** What is kept of whom, and taken away. */
export function subjectRoutes(app: Api, { services }: RouteDeps): void {
  app.post(
    '/v1/agents/:agent/erasures',
    {
      schema: {
        operationId: 'eraseSubject',
        tags,
        summary: 'Erase what is kept of a subject',
        description:
          'Its key, the arguments, results and salts of what was asked about it, what cards said and people were shown; what waits is withdrawn, standing approvals given with it end. The log keeps its digests, which nobody can link to it any more. It cannot be undone. 200: done. 202: it goes on; ask for it by its id, or send this again.',
        params: z.object({ agent: agentNameSchema }),
        body: z.strictObject({
          subject: textSchema(500, 1).describe('As it was named when it was asked about'),
          reason: reasonSchema.describe('Why; it stands in the log, so do not name the subject in it'),
        }),
        response: { 200: erasureSchema, 202: erasureSchema },
      },
    },
    async (request, reply) => {
      const input = { ...request.body, agent: request.params.agent };
      const erasure = await eraseSubject(services, actorOf(request), input);
      reply.code(erasure.done_at ? 200 : 202);
      return view(erasure);
    },
  );
  app.get(
    '/v1/agents/:agent/erasures/:id',
    {
      schema: {
        operationId: 'getErasure',
        tags,
        summary: 'How far an erasure is',
        params: z.object({ agent: agentNameSchema, id: z.uuid() }),
        response: { 200: erasureSchema },
      },
    },
    async (request) => view(await erasureById(services, actorOf(request), request.params)),
  );
}
