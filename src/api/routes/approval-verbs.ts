import { z } from 'zod';
import { actionView, actionViews } from '../../actions/view.ts';
import { requireRole } from '../../actor.ts';
import { answerBatch, BATCH_MAX, likeActions } from '../../approvals/batch.ts';
import { editAction } from '../../approvals/edit.ts';
import { queueFor } from '../../approvals/queue.ts';
import { ERRORS, type ErrorCode } from '../../errors.ts';
import { ownAction } from '../../records/action.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, agentScope, requireReader } from '../auth.ts';
import {
  actionSchema,
  agentNameSchema,
  countSchema,
  idSchema,
  reasonSchema,
  textSchema,
} from '../schemas.ts';

const params = z.object({ id: idSchema });
const tags = ['approvals'];
const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
const listSchema = z.object({ actions: z.array(actionSchema) });

const batchResultSchema = z
  .union([
    z.object({ id: z.string(), counted: z.boolean(), state: actionSchema.shape.state }),
    z.object({ id: z.string(), code: z.enum(codes), message: z.string() }),
  ])
  .meta({ id: 'BatchResult' });

/** What people do with what waits, besides answering one of it. */
export function approvalRoutes(app: Api, { services, metrics }: RouteDeps): void {
  app.post(
    '/v1/actions/:id/edits',
    {
      schema: {
        operationId: 'edit',
        tags,
        summary: 'Change the arguments of an action that waits',
        description:
          'Checked by the schema of the tool and by its release; risk, approval and digest are computed again and the count begins anew. Whoever edits does not count as an approver. Values shown as [redacted] stay what they were.',
        params,
        body: z.strictObject({
          args: z.record(z.string(), z.unknown()).describe('Exact JSON: all of them, as they shall be'),
          digest: textSchema(100, 1),
          revision: countSchema.min(1),
          reason: reasonSchema.optional(),
        }),
        response: { 200: actionSchema },
      },
    },
    async (request) => {
      const input = { id: request.params.id, receivedAt: services.clock.now(), ...request.body };
      const action = await editAction(services, actorOf(request), input);
      return actionView(services, action, { args: true });
    },
  );
  app.get(
    '/v1/actions/:id/like',
    {
      schema: {
        operationId: 'likeActions',
        tags,
        summary: 'What waits and is like it, the oldest first',
        params,
        response: { 200: listSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireReader(actor);
      const one = await ownAction(services.db.sql, actor, request.params.id);
      return { actions: await actionViews(services, await likeActions(services, one.id)) };
    },
  );
  app.get(
    '/v1/approvals/queue',
    {
      schema: {
        operationId: 'approvalQueue',
        tags,
        summary: 'What this person may answer now, the oldest first',
        querystring: z.object({ agent: agentNameSchema.optional() }),
        response: { 200: listSchema },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      const agent = agentScope(actor, request.query.agent);
      const queue = await queueFor(services, actor, agent ? { agent } : {});
      return { actions: await actionViews(services, queue) };
    },
  );
  app.post(
    '/v1/approvals/batch',
    {
      schema: {
        operationId: 'decideBatch',
        tags,
        summary: 'Answer several, each by its own id',
        description:
          'Each in its own transaction, by the digest and revision that were seen: one that may not be answered keeps none of the others back.',
        body: z.strictObject({
          verdict: z.enum(['approve', 'deny']),
          reason: reasonSchema.optional(),
          items: z
            .array(z.strictObject({ id: idSchema, digest: textSchema(100, 1), revision: countSchema.min(1) }))
            .min(1)
            .max(BATCH_MAX),
        }),
        response: { 200: z.object({ results: z.array(batchResultSchema) }) },
      },
    },
    async (request) => {
      const actor = actorOf(request);
      requireRole(actor, ['approver']);
      const input = { ...request.body, receivedAt: services.clock.now() };
      const results = await answerBatch(services, actor, input);
      for (const result of results)
        if ('counted' in result && result.counted) metrics.decided.inc({ verdict: input.verdict });
      return {
        results: results.map((result) =>
          'action' in result
            ? { id: result.id, counted: result.counted, state: result.action.state }
            : result,
        ),
      };
    },
  );
}
