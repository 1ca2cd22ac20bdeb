import { z } from 'zod';
import { completeAction } from '../../actions/complete.ts';
import { correctAction } from '../../actions/correct.ts';
import { actionView, viewOf } from '../../actions/view.ts';
import { withdrawAction } from '../../actions/withdraw.ts';
import { answerAction } from '../../approvals/answer.ts';
import { explainDenial } from '../../approvals/explain.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf } from '../auth.ts';
import {
  actionSchema,
  countSchema,
  credentialSchema,
  idSchema,
  instantSchema,
  reasonSchema,
  textSchema,
} from '../schemas.ts';
import { beginCounted, begunPart } from './actions.ts';
import { standingInput, standingSchema } from './standing-approvals.ts';

const params = z.object({ id: idSchema });
const tags = ['actions'];
const decidedSchema = actionSchema
  .extend({ counted: z.boolean().describe('false: the same person said the same before') })
  .meta({ id: 'DecidedAction' });
export const begunSchema = actionSchema
  .extend({
    startBy: instantSchema.describe('Compare last before sending'),
    credential: credentialSchema.optional(),
    args: z
      .record(z.string(), z.unknown())
      .optional()
      .describe('The arguments in force, when people changed them: use these and no others'),
  })
  .meta({ id: 'BegunAction' });

/** What people do with an action. */
export function decisionRoutes(app: Api, { services, metrics }: RouteDeps): void {
  app.post(
    '/v1/actions/:id/decisions',
    {
      schema: {
        operationId: 'decide',
        tags,
        summary: 'Approve or deny',
        description:
          'Committed when it is answered. Digest and revision are those the person saw: with others it is 409 seen_outdated. Approving needs the digest.',
        params,
        body: z
          .strictObject({
            verdict: z.enum(['approve', 'deny']),
            digest: textSchema(100).optional(),
            revision: countSchema.min(1).optional(),
            reason: textSchema(2_000).optional(),
            breakGlass: z
              .boolean()
              .optional()
              .describe('Approve alone, in an emergency: loud, with a reason'),
            standing: standingSchema.optional(),
          })
          .refine(({ verdict, digest }) => verdict === 'deny' || digest !== undefined, {
            path: ['digest'],
            message: 'approving needs the argsDigest of what was seen',
          }),
        response: { 200: decidedSchema },
      },
    },
    async (request) => {
      const { standing, ...body } = request.body;
      const input = {
        id: request.params.id,
        receivedAt: services.clock.now(),
        ...body,
        ...(standing && { standing: standingInput(services, standing) }),
      };
      const { action, counted } = await answerAction(services, actorOf(request), input);
      if (counted) metrics.decided.inc({ verdict: request.body.verdict });
      return { ...(await actionView(services, action, { args: true })), counted };
    },
  );
  app.post(
    '/v1/actions/:id/deny-reason',
    {
      schema: {
        operationId: 'explainDenial',
        tags,
        summary: "The denier's reason, given after the denial",
        params,
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: actionSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const action = await explainDenial(services, actorOf(request), { id, reason: request.body.reason });
      return actionView(services, action, { args: false });
    },
  );
  app.post(
    '/v1/actions/:id/corrections',
    {
      schema: {
        operationId: 'correct',
        tags,
        summary: 'Report a wrong write, or one that was wrongly stopped',
        description:
          'Of an executed action: it was wrong. Of one denied or expired unanswered: it was right. The first word stands.',
        params,
        body: z.strictObject({ reason: reasonSchema }),
        response: { 200: actionSchema },
      },
    },
    async (request) => {
      const { id } = request.params;
      const action = await correctAction(services, actorOf(request), { id, reason: request.body.reason });
      return actionView(services, action, { args: false });
    },
  );
}

/** What the agent does with an action. */
export function executionRoutes(app: Api, deps: RouteDeps): void {
  const { services } = deps;
  app.post(
    '/v1/actions/:id/begin',
    {
      config: { tokenIn: 'memory' },
      schema: {
        operationId: 'begin',
        tags,
        summary: 'The moment of the write, once',
        description:
          'Re-checks everything, consumes the approval and gives out the credential. The same executionId before startBy gets a new credential; another id gets 409.',
        params,
        body: z.strictObject({
          executionId: textSchema(200, 1),
          round: countSchema
            .min(0)
            .optional()
            .describe('Needed when people changed the arguments: approval.round'),
        }),
        response: { 200: begunSchema },
      },
    },
    async (request) => {
      const input = { id: request.params.id, ...request.body };
      const begun = await beginCounted(deps, actorOf(request), input);
      return { ...viewOf(services, begun.action, begun.parts), ...begunPart(begun) };
    },
  );
  app.post(
    '/v1/actions/:id/complete',
    {
      config: { tokenIn: 'memory' },
      schema: {
        operationId: 'complete',
        tags,
        summary: 'What came of a begun action',
        description: 'A late report is always accepted; the same report again changes nothing.',
        params,
        body: z.strictObject({
          executionId: textSchema(200, 1),
          ok: z.boolean(),
          result: z.unknown().optional(),
          error: textSchema(200)
            .optional()
            .describe("A short code of the tool's own; a message is kept as tool_failed, without its text"),
        }),
        response: { 200: actionSchema },
      },
    },
    async (request) => {
      const action = await completeAction(services, actorOf(request), {
        id: request.params.id,
        ...request.body,
      });
      return actionView(services, action, { args: false });
    },
  );
  app.post(
    '/v1/actions/:id/withdraw',
    {
      schema: {
        operationId: 'withdraw',
        tags,
        summary: 'The agent takes its question back',
        params,
        body: z.strictObject({ reason: textSchema(2_000).optional() }).nullish(),
        response: { 200: actionSchema },
      },
    },
    async (request) => {
      const input = { id: request.params.id, reason: request.body?.reason };
      const action = await withdrawAction(services, actorOf(request), input);
      return actionView(services, action, { args: false });
    },
  );
}
