import { z } from 'zod';
import { listGroups } from '../../groups/list.ts';
import { SOURCE_KINDS } from '../../groups/source.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import { agentNameSchema, instantSchema } from '../schemas.ts';

const groupSchema = z
  .object({
    group: z.string(),
    source: z.enum(['manifest', ...SOURCE_KINDS]),
    id: z.string().optional().describe('The id there; of a calendar its host or file'),
    members: z
      .array(z.object({ person: z.string(), until: instantSchema.optional() }))
      .describe('Who is in it now, and until when that is so'),
    stale: z.boolean().describe('It could not be read for too long: nobody of it counts'),
    fetchedAt: instantSchema.optional(),
    freshUntil: instantSchema.optional(),
    error: z.string().optional().describe('Why it could not be read the last time'),
    unknown: z.array(z.string()).describe('Whom the source names and who does not count'),
  })
  .meta({ id: 'ApproverGroup' });

/** Who may be asked. */
export function groupRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/agents/:agent/groups',
    {
      schema: {
        operationId: 'listGroups',
        tags: ['agents'],
        summary: 'The approver groups of an agent: who is in each now, and how well that is known',
        params: z.object({ agent: agentNameSchema }),
        response: { 200: z.object({ groups: z.array(groupSchema) }) },
      },
    },
    async (request) => {
      const found = await listGroups(services, actorOf(request), request.params.agent);
      const groups = found.map(({ members, fetchedAt, freshUntil, ...group }) => ({
        ...group,
        members: members.map(({ person, until }) => ({ person, until: until?.toISOString() })),
        fetchedAt: fetchedAt?.toISOString(),
        freshUntil: freshUntil?.toISOString(),
      }));
      return { groups };
    },
  );
}
