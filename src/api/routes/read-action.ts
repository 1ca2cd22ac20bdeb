import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { actionView } from '../../actions/view.ts';
import type { Actor } from '../../actor.ts';
import { noteSeen } from '../../approvals/first-look.ts';
import { type ActionRow, ownAction } from '../../records/action.ts';
import { detailFor } from '../action-detail.ts';
import type { Api, RouteDeps } from '../app.ts';
import { actorOf, authenticateRequest, callerOf, maySeeArgs, requireReader, tokenIdOf } from '../auth.ts';
import { actionDetailSchema, countSchema, idSchema } from '../schemas.ts';

const WAIT_MS_MAX = 60_000;
const WAIT_PATTERN = /^(\d{1,6})(ms|s|m)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** One action, at once or as soon as something happened. */
export function actionRoute(app: Api, { services, waiter, budgets, bounds }: RouteDeps): void {
  app.get(
    '/v1/actions/:id',
    {
      schema: {
        operationId: 'getAction',
        tags: ['actions'],
        summary: 'One action; with wait, as soon as it changed',
        description:
          'With wait the answer comes when the revision is no longer `after` or, without `after`, when the action is no longer pending; at the latest after wait (at most 60 s). Arguments are shown, with redacted values marked, to people who decide or audit and to the agent itself.',
        params: z.object({ id: idSchema }),
        querystring: z.object({
          wait: z.string().regex(WAIT_PATTERN, 'write a duration such as 30s').optional(),
          after: z.coerce.number().pipe(countSchema.min(0)).optional().describe('The revision already known'),
        }),
        response: { 200: actionDetailSchema },
      },
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const { id } = request.params;
      const action = await readable(id, actor);
      const { wait, after } = request.query;
      const over = (row: Pick<ActionRow, 'state' | 'revision'>) =>
        after === undefined ? row.state !== 'pending' : row.revision !== after;
      if (wait === undefined || over(action)) return shown(action, actor);
      const release = bounds.polls.take(callerOf(request));
      await waiter
        .wait({ id, tokenId: tokenIdOf(actor), over }, waitMs(wait), closedSignal(reply))
        .finally(release);
      // What was allowed when it began to wait may be over.
      await authenticateRequest(services, request, budgets);
      return shown(await readable(id, actorOf(request)), actorOf(request));
    },
  );

  async function shown(action: ActionRow, actor: Actor) {
    if (actor.via === 'cli') await noteSeen(services, actor, action);
    const view = await actionView(services, action, { args: maySeeArgs(actor, action.agent) });
    return { ...view, ...(await detailFor(services, actor, action)) };
  }

  async function readable(id: string, actor: Actor) {
    requireReader(actor);
    return ownAction(services.db.sql, actor, id);
  }
}

function waitMs(text: string): number {
  const [, amount = '0', unit = 's'] = WAIT_PATTERN.exec(text) ?? [];
  return Math.min(WAIT_MS_MAX, Number(amount) * (UNIT_MS[unit] ?? 1_000));
}

/** Ends with the connection: nobody waits for somebody who left. */
function closedSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => controller.abort());
  return controller.signal;
}
