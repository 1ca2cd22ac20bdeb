import type { Sql } from '../db/database.ts';
import { type DayBucket, type PooledSegment, pooledRestartLogE } from '../domain/eprocess.ts';
import { POOLED_SEGMENT } from '../domain/alpha.ts';
import { durationMs } from '../domain/duration.ts';
import { judge, type Verdict } from '../domain/guardrail.ts';
import type { Guardrail } from '../domain/release.ts';
import { dayOf, type RolloutRecord } from './record.ts';

/** A verdict and exactly what it was reached from: enough to recompute it. */
export interface VerdictRecord extends Verdict {
  segment: string;
  metric: string;
  limit: number;
  alpha: number;
  weight: number;
  buckets: readonly DayBucket[];
  matureBefore: number;
  /** The generation of each segment that the counts run up to. */
  generations: Readonly<Record<string, number>>;
}

interface Count extends DayBucket {
  segment: string;
  generation: number;
}

/**
 * Candidate counts of one metric. A process that fired starts afresh in the next generation; one that did not (a
 * rollback by hand, another guardrail) keeps its sums.
 */
async function countsOf(db: Sql, rolloutId: string, metric: string, judged: string, generation: number): Promise<Count[]> {
  const rows = await db
    .selectFrom('day_count')
    .select(['segment', 'generation', 'day', 'events', 'harms'])
    .where('rollout_id', '=', rolloutId)
    .where('metric', '=', metric)
    .where('arm', '=', 'candidate')
    .execute();
  const breaches = await db
    .selectFrom('verdict')
    .select(['segment', 'generation', 'record'])
    .where('rollout_id', '=', rolloutId)
    .where('metric', '=', metric)
    .where('segment', '=', judged)
    .where('verdict', '=', 'breach')
    .where('generation', '<', generation)
    .execute();
  const spent = breaches.map(({ record }) => (record as VerdictRecord).generations);
  return rows.filter((row) => !spent.some((generations) => row.generation <= (generations[row.segment] ?? 0)));
}

/** Sums the generations that count into one bucket a day. */
function bucketsOf(counts: readonly Count[], segment: string): DayBucket[] {
  const days = new Map<number, DayBucket>();
  for (const count of counts) {
    if (count.segment !== segment) continue;
    const before = days.get(count.day) ?? { day: count.day, events: 0, harms: 0 };
    days.set(count.day, { day: count.day, events: before.events + count.events, harms: before.harms + count.harms });
  }
  return [...days.values()].sort((a, b) => a.day - b.day);
}

export interface JudgeContext {
  now: Date;
  dayMs: number;
  minSample: number;
  breachedBefore: boolean;
  /** Of the process judged: the segment's own, or the sum of all for `*`. */
  generation: number;
}

/** Judges one guardrail in one segment, and over all of them together for `*`. */
export async function judgeGuardrail(
  db: Sql,
  rollout: RolloutRecord,
  guardrail: Guardrail,
  segment: string,
  { now, dayMs, minSample, breachedBefore, generation }: JudgeContext,
): Promise<VerdictRecord> {
  const { metric, limit } = guardrail;
  const { alpha, shares, matureAfter } = rollout.plan;
  const counts = await countsOf(db, rollout.id, metric, segment, generation);
  const generations = await generationsOf(db, rollout.id);
  const weight = shares.find((share) => share.guardrail === metric && share.segment === segment)?.weight ?? 0;
  const matureBefore = dayOf(rollout, new Date(now.getTime() - durationMs(matureAfter[metric] ?? '1d', dayMs)), dayMs);
  const common = { alpha, weight, minSample, dataState: 'live' as const, breachedBefore };
  const described = { segment, metric, limit, alpha, weight, matureBefore, generations };
  if (segment === POOLED_SEGMENT) {
    const names = [...new Set(counts.map((count) => count.segment))].sort();
    const pooled: PooledSegment[] = names.map((name) => ({ limit, buckets: bucketsOf(counts, name) }));
    const totals = counts.reduce((sum, { events, harms }) => ({ events: sum.events + events, harms: sum.harms + harms }), {
      events: 0,
      harms: 0,
    });
    const evidence = { kind: 'pooled' as const, logE: pooledRestartLogE(pooled), ...totals };
    return { ...described, ...judge({ ...common, evidence }), buckets: pooled.flatMap(({ buckets }) => buckets) };
  }
  const buckets = bucketsOf(counts, segment);
  const mature = buckets
    .filter(({ day }) => day < matureBefore)
    .reduce((sum, { events, harms }) => ({ events: sum.events + events, harms: sum.harms + harms }), { events: 0, harms: 0 });
  return { ...described, ...judge({ ...common, evidence: { kind: 'rate', limit, buckets, mature } }), buckets };
}

async function generationsOf(db: Sql, rolloutId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('rollout_segment')
    .select(['segment', 'generation'])
    .where('rollout_id', '=', rolloutId)
    .execute();
  return Object.fromEntries(rows.map(({ segment, generation }) => [segment, generation]));
}
