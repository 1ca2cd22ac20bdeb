import { eValueOf } from '../domain/evidence/eprocess.ts';
import { raiseAlert } from '../records/alert.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { elapsedMs } from './facts.ts';
import { GATE_CLOSED } from './moves.ts';

const JUDGE = 'judge';

/** Whether all segments together reached what the pooled process has to, and the cap alone kept it from taking back all of them. */
export const isSpread = ({ verdict, pooledLogE, thresholdLogE }: VerdictRecord): boolean =>
  verdict !== 'breach' && pooledLogE !== undefined && thresholdLogE !== null && pooledLogE >= thresholdLogE;

/**
 * Asks people, once in a rollout: it is paused until somebody resumes it, with what is exposed as it is. Nothing is taken back
 * by it: without the segment whose evidence is strongest the others do not suffice for that (STATISTICS 4.5).
 */
export async function holdForSpread(
  { db, clock, wake }: Pick<Services, 'db' | 'clock' | 'wake'>,
  rollout: RolloutRecord,
  verdict: VerdictRecord,
): Promise<void> {
  const now = clock.now();
  const { metric, leftOut, pooledLogE = 0 } = verdict;
  const because = `${metric}: all segments together do worse than they are allowed (e-value ${eValueOf(pooledLogE).toPrecision(4)}), most of it in ${leftOut ?? 'one'}`;
  const held = await db.sql.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('rollout')
      .set({
        status: 'paused',
        step_elapsed_ms: elapsedMs(rollout, now),
        ticking_since: null,
        gate_approved_by: null,
        spread_held_at: now,
        revision: rollout.revision + 1,
        ...GATE_CLOSED,
      })
      .where('id', '=', rollout.id)
      .where('revision', '=', rollout.revision)
      .where('status', '=', 'running')
      .where('spread_held_at', 'is', null)
      // What its own process took back already is told, and nothing widens beside it.
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('rollout_segment')
            .select('segment')
            .where('rollout_id', '=', rollout.id)
            .where('segment', '=', leftOut ?? '')
            .where('state', '=', 'exposed'),
        ),
      )
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await raiseAlert(tx, 'rollout.held', rollout.agent, now, { rollout: rollout.id, metric, because });
    await appendEntry(tx, {
      kind: 'rollout.held_for_spread',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: JUDGE,
      data: { metric, because, leftOut: leftOut ?? null, pooledLogE: String(pooledLogE) },
    });
    await tx.insertInto('outbox').values({ topic: 'rollout', key: rollout.id, payload: '{}' }).execute();
    return true;
  });
  if (held) wake();
}
