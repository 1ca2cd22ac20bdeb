import { type Actor, requireRole } from '../actor.ts';
import { AppError } from '../errors.ts';
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
  const moved = await moveAction(
    services.db.sql,
    action,
    'withdrawn',
    'action.withdrawn',
    services.clock.now(),
    actor.id,
    reason ? { reason } : {},
  );
  if (!moved) {
    const now = await actionById(services.db.sql, id);
    throw new AppError('wrong_state', `Cannot withdraw action ${id}: it is ${now.state}`, {
      state: now.state,
    });
  }
  services.wake();
  return actionById(services.db.sql, id);
}
