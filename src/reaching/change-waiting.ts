import { serviceActor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { type ActionRow, actionById, lockedAction } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

/** Who writes down what becomes of a question while nobody answers it. */
const FOLLOWER = serviceActor('follower');

export type WaitingServices = Pick<Services, 'db' | 'clock'>;

/**
 * Changes an action that waits, if it is still as it was read: in the same round and stage, passed on, reached and
 * reminded alike. Answers the row as it is now, and whether the change was made.
 */
export async function changeWaiting(
  { db }: Pick<Services, 'db'>,
  action: ActionRow,
  change: (tx: Sql) => Promise<void>,
): Promise<{ action: ActionRow; changed: boolean }> {
  const changed = await withoutDeadlock(() =>
    db.sql.transaction().execute(async (tx) => {
      if (!isAsRead(await lockedAction(tx, action.id), action)) return false;
      await change(tx);
      return true;
    }),
  );
  return { action: await actionById(db.sql, action.id), changed };
}

/** The log entry of such a change. */
export const noteWaiting = (
  tx: Sql,
  { id, agent, round, stage }: ActionRow,
  kind: 'action.reach' | 'action.escalated' | 'action.reminded',
  at: Date,
  data: Record<string, unknown>,
): Promise<void> =>
  appendEntry(tx, { kind, agent, ref: id, at, actor: FOLLOWER.id, data: { round, stage, ...data } });

const isAsRead = (now: ActionRow, read: ActionRow): boolean =>
  now.state === 'pending' &&
  now.round === read.round &&
  now.stage === read.stage &&
  now.reminders === read.reminders &&
  JSON.stringify([now.routed, now.reach]) === JSON.stringify([read.routed, read.reach]);
