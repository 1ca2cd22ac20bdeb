import type { ExpressionBuilder } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Tables } from '../db/tables.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { eValueOf } from '../domain/evidence/eprocess.ts';
import { breachText } from '../domain/evidence/facts.ts';
import { JUDGE } from '../domain/rollout/paused.ts';
import { lockedRollout, type RolloutRecord } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { GATE_CLOSED, pausedBy } from './moves.ts';
import { evidenceFacts } from './rollback-report.ts';
import { tell } from './tell.ts';

/** Whether all segments together reached what the pooled process has to, and the cap alone kept it from taking back all of them. */
export const isSpread = ({ verdict, pooledLogE, thresholdLogE }: VerdictRecord): boolean =>
  verdict !== 'breach' && pooledLogE !== undefined && thresholdLogE !== null && pooledLogE >= thresholdLogE;

/**
 * Asks people, once in a rollout: it is paused until somebody resumes it, with what is exposed as it is. Nothing is taken back
 * by it: without the segment whose evidence is strongest the others do not suffice for that (STATISTICS 4.5).
 */
export async function holdForSpread(
  services: Pick<Services, 'db' | 'clock' | 'wake'>,
  rollout: RolloutRecord,
  verdict: VerdictRecord,
): Promise<void> {
  const { metric, leftOut, pooledLogE = 0 } = verdict;
  const now = services.clock.now();
  const because = `${metric}: all segments together do worse than they are allowed (e-value ${eValueOf(pooledLogE).toPrecision(4)}), most of it in ${leftOut ?? 'one'}`;
  const held = await services.db.sql.transaction().execute(async (tx) => {
    const paused = await pause(tx, rollout, { now, because }, { spread_held_at: now }, (row) =>
      row.and([
        row('spread_held_at', 'is', null),
        // What its own process took back already is told, and nothing widens beside it.
        row.exists(
          row
            .selectFrom('rollout_segment')
            .select('segment')
            .where('rollout_id', '=', rollout.id)
            .where('segment', '=', leftOut ?? '')
            .where('state', '=', 'exposed'),
        ),
      ]),
    );
    if (!paused) return false;
    await tell(tx, rollout, now, {
      kind: 'rollout.held_for_spread',
      because,
      data: { metric, leftOut: leftOut ?? null, pooledLogE: String(pooledLogE) },
    });
    return true;
  });
  if (held) services.wake();
}

/**
 * Asks people because the release says so of this verdict, once until the word is another: what is exposed stays, until somebody
 * rolls back or resumes. One that is paused already, or completed and watched, is told of all the same; nothing of a segment
 * that is exposed to nobody.
 */
export async function holdForVerdict(
  services: Pick<Services, 'db' | 'clock' | 'wake'>,
  rolloutId: string,
  { segment, generation }: { segment: string; generation: number },
  verdict: VerdictRecord,
): Promise<void> {
  const { metric } = verdict;
  const held = await services.db.sql.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('verdict')
      .set({ held: verdict.verdict })
      .where('rollout_id', '=', rolloutId)
      .where('segment', '=', segment)
      .where('generation', '=', generation)
      .where('metric', '=', metric)
      .where('verdict', '=', verdict.verdict)
      .where('held', 'is', null)
      .where(({ exists, selectFrom }) => {
        const exposed = selectFrom('rollout_segment')
          .select('segment')
          .where('rollout_id', '=', rolloutId)
          .where('state', '=', 'exposed');
        return exists(segment === POOLED_SEGMENT ? exposed : exposed.where('segment', '=', segment));
      })
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    const rollout = await lockedRollout(tx, rolloutId);
    const now = services.clock.now();
    const because = heldBecause(segment, verdict);
    await pause(tx, rollout, { now, because });
    await tell(tx, rollout, now, {
      kind: 'rollout.held_for_verdict',
      because,
      facts: {
        segment,
        // Of silence and of an outage there are no figures to show.
        ...(verdict.verdict === 'breach' && evidenceFacts(verdict)),
      },
      data: { segment, metric, verdict: verdict.verdict },
    });
    return true;
  });
  if (held) services.wake();
}

function heldBecause(segment: string, verdict: VerdictRecord): string {
  const place = segment === POOLED_SEGMENT ? 'all segments together' : segment;
  const why =
    verdict.verdict === 'breach'
      ? breachText(verdict)
      : `${verdict.metric} is ${verdict.verdict}${verdict.sourceDown === undefined ? '' : `: ${verdict.sourceDown}`}`;
  return `${place}: ${why}; the release says to hold then`;
}

/** Nothing of one that does not run. Whether it was paused. */
export async function pause(
  tx: Sql,
  rollout: RolloutRecord,
  cause: { now: Date; because: string },
  alsoSet: { spread_held_at?: Date } = {},
  onlyIf?: (
    row: ExpressionBuilder<Tables, 'rollout'>,
  ) => ReturnType<ExpressionBuilder<Tables, 'rollout'>['and']>,
): Promise<boolean> {
  let paused = tx
    .updateTable('rollout')
    .set({
      ...pausedBy(rollout, { ...cause, by: JUDGE }),
      gate_approved_by: null,
      revision: rollout.revision + 1,
      ...GATE_CLOSED,
      ...alsoSet,
    })
    .where('id', '=', rollout.id)
    .where('revision', '=', rollout.revision)
    .where('status', '=', 'running');
  if (onlyIf) paused = paused.where(onlyIf);
  return (await paused.executeTakeFirst()).numUpdatedRows > 0n;
}
