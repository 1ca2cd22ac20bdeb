import { type Actor, requireRole } from '../actor.ts';
import { AppError } from '../errors.ts';
import { reasonIn } from '../reason.ts';
import { type ActionRow, actionById, ownAction } from '../records/action.ts';
import { moveAction } from '../records/move.ts';
import type { Services } from '../services.ts';

/**
 * The agent takes its question back. Repeating it changes nothing.
 * @throws AppError `wrong_state` when it is decided against or begun already
 */
export async function withdrawAction(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason?: string },
): Promise<ActionRow> {
  requireRole(actor, ['agent']);
  const action = await ownAction(services.db.sql, actor, id);
  if (action.state === 'withdrawn') return action;
  const moved = await services.db.sql.transaction().execute(async (tx) => {
    const now = services.clock.now();
    if (!(await moveAction(tx, action, 'withdrawn', 'action.withdrawn', now, actor.id))) return false;
    await tx
      .updateTable('action')
      .set({ withdraw_reason: reasonIn(reason) ?? null })
      .where('id', '=', id)
      .execute();
    return true;
  });
  if (!moved) {
    const now = await actionById(services.db.sql, id);
    throw new AppError('wrong_state', `Cannot withdraw action ${id}: it is ${now.state}`, {
      state: now.state,
    });
  }
  services.wake();
  return actionById(services.db.sql, id);
}
