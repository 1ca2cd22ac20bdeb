import type { ExpressionBuilder } from 'kysely';
import type { Tables } from '../db/tables.ts';
import { eValueOf } from '../domain/evidence/eprocess.ts';
import { breachText } from '../domain/evidence/facts.ts';
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
  services: Pick<Services, 'db' | 'clock' | 'wake'>,
  rollout: RolloutRecord,
  verdict: VerdictRecord,
): Promise<void> {
  const { metric, leftOut, pooledLogE = 0 } = verdict;
  await hold(services, rollout, {
    kind: 'rollout.held_for_spread',
    metric,
    because: `${metric}: all segments together do worse than they are allowed (e-value ${eValueOf(pooledLogE).toPrecision(4)}), most of it in ${leftOut ?? 'one'}`,
    data: { leftOut: leftOut ?? null, pooledLogE: String(pooledLogE) },
    alsoSet: { spread_held_at: services.clock.now() },
    onlyIf: (row) =>
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
  });
}

/** Asks people because the release says so of this verdict: what is exposed stays, until somebody rolls back or resumes. */
export async function holdForVerdict(
  services: Pick<Services, 'db' | 'clock' | 'wake'>,
  rollout: RolloutRecord,
  segment: string,
  verdict: VerdictRecord,
): Promise<void> {
  const { metric } = verdict;
  const place = segment === '*' ? 'all segments together' : segment;
  const why =
    verdict.verdict === 'breach'
      ? breachText(verdict)
      : `${metric} is ${verdict.verdict}${verdict.sourceDown === undefined ? '' : `: ${verdict.sourceDown}`}`;
  await hold(services, rollout, {
    kind: 'rollout.held_for_verdict',
    metric,
    because: `${place}: ${why}; the release says to hold then`,
    data: { segment, verdict: verdict.verdict },
  });
}

interface Hold {
  /** Of its entry in the log. */
  kind: string;
  metric: string;
  because: string;
  data: Readonly<Record<string, string | null>>;
  alsoSet?: { spread_held_at: Date };
  onlyIf?: (
    row: ExpressionBuilder<Tables, 'rollout'>,
  ) => ReturnType<ExpressionBuilder<Tables, 'rollout'>['and']>;
}

/** Pauses a rollout that runs as it was read, tells on-call and logs why; nothing where somebody was there first. */
async function hold(
  { db, clock, wake }: Pick<Services, 'db' | 'clock' | 'wake'>,
  rollout: RolloutRecord,
  { kind, metric, because, data, alsoSet, onlyIf }: Hold,
): Promise<void> {
  const now = clock.now();
  const held = await db.sql.transaction().execute(async (tx) => {
    let pause = tx
      .updateTable('rollout')
      .set({
        status: 'paused',
        step_elapsed_ms: elapsedMs(rollout, now),
        ticking_since: null,
        gate_approved_by: null,
        revision: rollout.revision + 1,
        ...GATE_CLOSED,
        ...alsoSet,
      })
      .where('id', '=', rollout.id)
      .where('revision', '=', rollout.revision)
      .where('status', '=', 'running');
    if (onlyIf) pause = pause.where(onlyIf);
    if ((await pause.executeTakeFirst()).numUpdatedRows === 0n) return false;
    await raiseAlert(tx, 'rollout.held', rollout.agent, now, { rollout: rollout.id, metric, because });
    await appendEntry(tx, {
      kind,
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: JUDGE,
      data: { metric, because, ...data },
    });
    await tx.insertInto('outbox').values({ topic: 'rollout', key: rollout.id, payload: '{}' }).execute();
    return true;
  });
  if (held) wake();
}
