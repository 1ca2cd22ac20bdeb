import type { Selectable } from 'kysely';
import { z } from 'zod';
import { listAutonomy, type Slice } from '../../autonomy/store.ts';
import { answerAutonomy, takeAutonomyBack } from '../../autonomy/verbs.ts';
import type { AutonomyTable } from '../../db/tables-approvals.ts';
import { nameSchema } from '../../domain/agent.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope } from '../auth.ts';
import { agentNameSchema, anyObjectSchema, instantSchema, reasonSchema, textSchema } from '../schemas.ts';

const tags = ['approvals'];
const sliceShape = {
  agent: agentNameSchema,
  release: nameSchema,
  grant: textSchema(200, 1),
  tool: textSchema(200, 1),
  segment: nameSchema,
  agentVersion: textSchema(200, 1).describe('The build that earned it: each earns for itself'),
};

const autonomySchema = z
  .object({
    ...sliceShape,
    state: z.enum(['ask', 'proposed', 'allow']),
    evidence: anyObjectSchema.describe('Counts, lower bound and what it had to exceed, when it last moved'),
    changedAt: instantSchema,
    changedBy: z.string(),
  })
  .meta({ id: 'Autonomy' });

const viewOf = (row: Selectable<AutonomyTable>) => ({
  agent: row.agent,
  release: row.release,
  grant: row.grant_name,
  tool: row.tool,
  segment: row.segment,
  agentVersion: row.agent_version,
  state: row.state,
  evidence: row.evidence,
  changedAt: row.changed_at.toISOString(),
  changedBy: row.changed_by,
});

/** What earned not to ask people, what is proposed, and taking it back. */
export function autonomyRoutes(app: Api, { services }: RouteDeps): void {
  app.get(
    '/v1/autonomy',
    {
      schema: {
        operationId: 'listAutonomy',
        tags,
        summary: 'What earned not to ask, is proposed, or was taken back',
        querystring: z.object({ agent: agentNameSchema.optional() }),
        response: { 200: z.object({ autonomy: z.array(autonomySchema) }) },
      },
    },
    async (request) => {
      const agent = agentScope(actorOf(request), request.query.agent);
      return { autonomy: (await listAutonomy(services.db.sql, agent)).map(viewOf) };
    },
  );
  app.post(
    '/v1/autonomy/answers',
    {
      schema: {
        operationId: 'answerAutonomy',
        tags,
        summary: 'Confirm or refuse a proposed move from ask to allow',
        description: 'The evidence is judged once more. A refusal begins it anew.',
        body: z.strictObject({ ...sliceShape, accept: z.boolean(), reason: reasonSchema }),
        response: { 200: z.object({ state: z.enum(['ask', 'allow']) }) },
      },
    },
    async (request) => {
      const { accept, reason, ...slice } = request.body;
      return answerAutonomy(services, actorOf(request), { slice: slice satisfies Slice, accept, reason });
    },
  );
  app.post(
    '/v1/autonomy/take-back',
    {
      schema: {
        operationId: 'takeAutonomyBack',
        tags,
        summary: 'Ask people again, at once',
        description: 'Once it is answered, no write begins without them. The evidence begins anew.',
        body: z.strictObject({ ...sliceShape, reason: reasonSchema }),
        response: { 200: z.object({ state: z.literal('ask') }) },
      },
    },
    async (request) => {
      const { reason, ...slice } = request.body;
      return takeAutonomyBack(services, actorOf(request), { slice, reason });
    },
  );
}
