import { z } from 'zod';
import {
  createDeputy,
  type DeputyRow,
  deputyState,
  listDeputies,
  revokeDeputy,
} from '../../approvals/deputies.ts';
import { nameSchema } from '../../domain/agent.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, requireReader } from '../auth.ts';
import { agentNameSchema, flagSchema, givenInstantSchema, instantSchema, reasonSchema } from '../schemas.ts';

const tags = ['approvals'];
const params = z.object({ agent: agentNameSchema });

const deputySchema = z
  .object({
    id: z.string(),
    agent: z.string(),
    from: z.string().describe('Whose right it is'),
    to: z.string().describe('Who answers for them'),
    group: z.string().optional().describe('Only in this group'),
    state: z.enum(['running', 'coming', 'over', 'revoked']),
    startsAt: instantSchema,
    endsAt: instantSchema,
    reason: z.string(),
    createdAt: instantSchema,
    createdBy: z.string().describe('Somebody else than `from`: a release manager named the deputy'),
    revokedAt: instantSchema.optional(),
    revokedBy: z.string().optional(),
  })
  .meta({ id: 'Deputy' });

const deputyView = (row: DeputyRow, now: Date): z.infer<typeof deputySchema> => ({
  id: row.id,
  agent: row.agent,
  from: row.from_person,
  to: row.to_person,
  group: row.grp ?? undefined,
  state: deputyState(row, now),
  startsAt: row.starts_at.toISOString(),
  endsAt: row.ends_at.toISOString(),
  reason: row.reason,
  createdAt: row.created_at.toISOString(),
  createdBy: row.created_by,
  revokedAt: row.revoked_at?.toISOString(),
  revokedBy: row.revoked_by ?? undefined,
});

/** Who answers for whom. */
export function deputyRoutes(app: Api, { services }: RouteDeps): void {
  const view = (row: DeputyRow) => deputyView(row, services.clock.now());
  app.get(
    '/v1/agents/:agent/deputies',
    {
      schema: {
        operationId: 'listDeputies',
        tags,
        summary: 'Who answers for whom, now or soon',
        params,
        querystring: z.object({ ended: flagSchema.describe('true: those that are over, too') }),
        response: { 200: z.object({ deputies: z.array(deputySchema) }) },
      },
    },
    async (request) => {
      const { agent } = request.params;
      requireReader(actorOf(request), agent);
      const rows = await listDeputies(services, { agent, ended: request.query.ended === 'true' });
      return { deputies: rows.map(view) };
    },
  );
  app.post(
    '/v1/agents/:agent/deputies',
    {
      schema: {
        operationId: 'createDeputy',
        tags,
        summary: 'Let somebody answer for somebody else, for at most 30 days',
        description:
          'People name their own deputies, a release manager may name them for others. A deputy counts where the one they stand for would count, once for both, and lends nothing on.',
        params,
        body: z.strictObject({
          from: nameSchema.optional().describe('Default: the person who asks'),
          to: nameSchema,
          group: nameSchema.optional().describe('Only in this group; default: in all of theirs'),
          startsAt: givenInstantSchema.optional().describe('Default: now'),
          endsAt: givenInstantSchema,
          reason: reasonSchema,
        }),
        response: { 201: deputySchema },
      },
    },
    async (request, reply) => {
      const { startsAt, endsAt, ...body } = request.body;
      const input = {
        ...body,
        agent: request.params.agent,
        ...(startsAt ? { startsAt: new Date(startsAt) } : {}),
        endsAt: new Date(endsAt),
      };
      const row = await createDeputy(services, actorOf(request), input);
      reply.code(201);
      return view(row);
    },
  );
  app.delete(
    '/v1/agents/:agent/deputies/:id',
    {
      schema: {
        operationId: 'revokeDeputy',
        tags,
        summary: 'End it before its time',
        description: 'Once it is answered, no write begins by what this deputy approved.',
        params: z.object({ agent: agentNameSchema, id: z.uuid() }),
        response: { 200: deputySchema },
      },
    },
    async (request) => view(await revokeDeputy(services, actorOf(request), request.params)),
  );
}
