import { type Actor, requireRole } from '../actor.ts';
import { judgeAgent } from '../autonomy/judge.ts';
import { proposeFromWord } from '../cases/from-people.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { AppError } from '../errors.ts';
import { factsOf } from '../incidents/facts.ts';
import { fileWrongWrite } from '../incidents/wrong-write.ts';
import { knowEvent, metricsCorrected } from '../outcomes/event.ts';
import { requireReason } from '../reason.ts';
import { type ActionRow, actionById, ownAction } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

/** Denied, or nobody answered in time; what was approved and not begun in time was not stopped by anybody. */
export const wasNotApproved = ({ state, decided_at }: Pick<ActionRow, 'state' | 'decided_at'>): boolean =>
  state === 'denied' || (state === 'expired' && decided_at === null);

/**
 * A person's word, afterwards, on a write: that an executed one was wrong, which counts as harm in the metrics that
 * say `corrections: true`; or that one denied or expired was right and wrongly stopped, which is no harm. It is in exactly one
 * incident from then on. The first word stands; repeating it changes nothing.
 * @throws AppError `wrong_state` when the action was neither executed nor stopped
 */
export async function correctAction(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason: string },
): Promise<ActionRow> {
  requireRole(actor, ['approver', 'on-call', 'release-manager']);
  const action = await ownAction(services.db.sql, actor, id);
  requireReason(reason, 'report it');
  const stopped = wasNotApproved(action);
  if (action.kind !== 'write' || !(stopped || action.state === 'executed' || action.state === 'unknown')) {
    throw new AppError('wrong_state', `Cannot report action ${id}: it is ${action.state}`, {
      state: action.state,
    });
  }
  if (action.corrected_at) return action;
  const now = services.clock.now();
  const facts = await factsOf(services, action, { wronglyStopped: stopped });
  await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('action')
        .set({ corrected_by: actor.id, corrected_at: now, correction_reason: reason })
        .where('id', '=', id)
        .where('corrected_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      const metrics = stopped ? [] : await metricsCorrected(tx, action);
      await appendEntry(tx, {
        kind: stopped ? 'action.wrongly_stopped' : 'action.corrected',
        agent: action.agent,
        ref: id,
        at: now,
        actor: actor.id,
        data: { reason, via: actor.via, identity: actor.identity, ...(stopped ? {} : { metrics }) },
      });
      for (const metric of metrics) await knowEvent(tx, action, metric, 1, now);
      await tx.insertInto('outbox').values({ topic: 'action', key: id, payload: '{}' }).execute();
      const because = stopped
        ? 'wrongly_stopped'
        : action.state === 'unknown'
          ? 'unknown_harm'
          : 'wrong_write';
      await fileWrongWrite(tx, { action, because, facts, at: now, by: actor.id, dayMs: services.dayMs });
    }),
  );
  services.wake();
  await proposeFromWord(services, { action, because: 'corrected', person: actor.person ?? actor.id });
  // What this tool earned may end with it, and at once.
  await judgeAgent(services, action.agent).catch((error: unknown) => {
    services.log.error({ err: error, agent: action.agent }, 'what was earned is judged again by the judge');
  });
  return actionById(services.db.sql, id);
}
