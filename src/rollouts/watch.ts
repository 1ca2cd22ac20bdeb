import { JUDGE } from '../domain/rollout/paused.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { COMMITTED_WITHIN_MS, countEvidence } from './evidence.ts';
import { failuresOf, throwFirst } from './failures.ts';
import { judgeExposed } from './judge.ts';

/**
 * Ends the watch of rollouts that completed and whose time for it is over: each is judged once more as it stood when that was,
 * so that what came before it counts although nobody judged then, and never again.
 */
export async function endWatches(services: Services): Promise<void> {
  const { db, clock } = services;
  const over = await db.sql
    .selectFrom('rollout')
    .select(['id', 'agent', 'release', 'watch_until'])
    .where('status', '=', 'completed')
    .where('watch_until', '<=', new Date(clock.now().getTime() - COMMITTED_WITHIN_MS))
    .where('watch_ended_at', 'is', null)
    .orderBy('watch_until')
    .execute();
  if (over.length > 0) await countEvidence(db.sql);
  throwFirst(await failuresOf(over, (one) => endWatch(services, one)));
}

async function endWatch(
  services: Services,
  { id, agent, release, watch_until }: Pick<RolloutRecord, 'id' | 'agent' | 'release' | 'watch_until'>,
): Promise<void> {
  await judgeExposed(services, id);
  const at = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('rollout')
      .set({ watch_ended_at: at })
      .where('id', '=', id)
      .where('watch_ended_at', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return;
    const data = { release, watchedUntil: watch_until?.toISOString() ?? null };
    await appendEntry(tx, { kind: 'rollout.watch_ended', agent, ref: id, at, actor: JUDGE, data });
  });
}
