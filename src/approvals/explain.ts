import { type Actor, requireRole } from '../actor.ts';
import { proposeFromWord } from '../cases/from-people.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { type ActionRow, actionById, lockedAction } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { answererOf } from './answer.ts';

/**
 * A denier's reason, given after the tap that already counted. The agent reads it as `denyReason`.
 * @throws AppError `not_eligible` when another person denied, `wrong_state` when nobody did
 */
export async function explainDenial(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason: string },
): Promise<ActionRow> {
  requireRole(actor, ['approver']);
  const action = await actionById(services.db.sql, id);
  const person = answererOf(actor, action);
  requireReason(reason, 'explain');
  if (action.state !== 'denied' || action.decided_by !== 'person')
    throw new AppError('wrong_state', `Cannot add a reason: the action is ${action.state}`);
  await services.db.sql.transaction().execute(async (tx) => {
    await lockedAction(tx, id);
    const own = await tx
      .updateTable('decision')
      .set({ reason })
      .where('action_id', '=', id)
      .where('round', '=', action.round)
      .where('person', '=', person)
      .where('verdict', '=', 'deny')
      .executeTakeFirst();
    if (own.numUpdatedRows === 0n)
      throw new AppError('not_eligible', 'Cannot add a reason: another person denied it');
    await tx.updateTable('action').set({ deny_reason: reason }).where('id', '=', id).execute();
    await appendEntry(tx, {
      kind: 'action.deny_reason',
      agent: action.agent,
      ref: id,
      at: services.clock.now(),
      actor: actor.id,
      data: { reason },
    });
    await tx.insertInto('outbox').values({ topic: 'action', key: id, payload: '{}' }).execute();
  });
  services.wake();
  await proposeFromWord(services, { action, because: 'denied', person });
  return actionById(services.db.sql, id);
}
