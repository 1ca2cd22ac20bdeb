import { JUDGE } from '../domain/rollout/paused.ts';
import { raiseAlert } from '../records/alert.ts';
import { appendEntry } from '../records/log-entry.ts';
import { type RolloutRecord, recordOf } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { COMMITTED_WITHIN_MS } from './committed.ts';
import { countEvidence } from './evidence.ts';
import { failuresOf, throwFirst } from './failures.ts';
import { judgeExposed } from './judge.ts';
import { type Unread, unreadOf } from './source-state.ts';

/**
 * Ends the watch of rollouts that completed and whose time for it is over: each is judged once more as it stood when that was,
 * so that what came before it counts although nobody judged then, and never again. Sources are waited for until they have said
 * all of it; one that is down for its `staleAfter` is waited for no longer, and people are told.
 */
export async function endWatches(services: Services): Promise<void> {
  const { db, clock } = services;
  const over = await db.sql
    .selectFrom('rollout')
    .selectAll()
    .where('status', '=', 'completed')
    .where('watch_until', '<=', new Date(clock.now().getTime() - COMMITTED_WITHIN_MS))
    .where('watch_ended_at', 'is', null)
    .orderBy('watch_until')
    .execute();
  if (over.length > 0) await countEvidence(db.sql);
  throwFirst(await failuresOf(over, (one) => endWatch(services, recordOf(one))));
}

async function endWatch(services: Services, rollout: RolloutRecord): Promise<void> {
  const { db, clock } = services;
  const { id, agent, release, watch_until } = rollout;
  const awaited = await unreadOf(db.sql, rollout);
  if (awaited.some(({ waitUntil }) => clock.now() <= waitUntil)) return;
  await judgeExposed(services, id);
  const at = clock.now();
  await db.sql.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('rollout')
      .set({ watch_ended_at: at })
      .where('id', '=', id)
      .where('watch_ended_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    // Of what the last judgement took back nothing is missing any more.
    const unread = await unreadOf(tx, rollout);
    const data = {
      release,
      watchedUntil: watch_until?.toISOString() ?? null,
      ...(unread.length > 0 && { unread: unread.map(({ waitUntil: _, ...one }) => one) }),
    };
    await appendEntry(tx, { kind: 'rollout.watch_ended', agent, ref: id, at, actor: JUDGE, data });
    if (unread.length > 0)
      await raiseAlert(tx, 'rollout.watch_ended', agent, at, { rollout: id, because: unreadText(unread) });
  });
  services.wake();
}

const unreadText = (unread: readonly Unread[]): string =>
  unread
    .map(({ segment, metric, because }) => `${segment}: ${metric} is source-down at its end: ${because}`)
    .join('; ');
