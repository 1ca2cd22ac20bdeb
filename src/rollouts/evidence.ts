import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { durationMs } from '../domain/duration.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { judge } from '../domain/evidence/guardrail.ts';
import { spreadLogE } from '../domain/evidence/spread.ts';
import type { Guardrail } from '../domain/release.ts';
import { dayOf, type RolloutRecord } from '../records/rollout.ts';
import type { KnownBucket, VerdictRecord } from '../records/verdict.ts';

const COUNT_BATCH = 500;

/** Counts what happened since it was last counted: short transactions, so that nobody waits long for the counts. */
export async function countEvidence(db: Sql): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ n: number }>`SELECT count_evidence(${COUNT_BATCH}) AS n`.execute(db);
    if ((rows[0]?.n ?? 0) < COUNT_BATCH) return;
  }
}

interface Count extends KnownBucket {
  segment: string;
  generation: number;
}

/**
 * Candidate counts of one metric. A process that fired starts afresh in the next generation; one that did not (a
 * rollback by hand, another guardrail) keeps its sums.
 */
async function countsOf(
  db: Sql,
  rolloutId: string,
  metric: string,
  judged: string,
  generation: number,
): Promise<Count[]> {
  const rows = await db
    .selectFrom('day_count')
    .select(['segment', 'generation', 'day', 'events', 'harms', 'known'])
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
  return rows.filter(
    (row) => !spent.some((generations) => row.generation <= (generations[row.segment] ?? 0)),
  );
}

/** Sums the generations that count into one bucket a day. */
function bucketsOf(counts: readonly Count[], segment: string): KnownBucket[] {
  const days = new Map<number, KnownBucket>();
  for (const count of counts) {
    if (count.segment !== segment) continue;
    const before = days.get(count.day) ?? { day: count.day, events: 0, harms: 0, known: 0 };
    days.set(count.day, add(before, count));
  }
  return [...days.values()].sort((a, b) => a.day - b.day);
}

export interface JudgeContext {
  now: Date;
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
  { now, minSample, breachedBefore, generation }: JudgeContext,
): Promise<VerdictRecord> {
  const { metric, limit } = guardrail;
  const { alpha, shares, matureAfter } = rollout.plan;
  const counts = await countsOf(db, rollout.id, metric, segment, generation);
  const generations = await generationsOf(db, rollout.id);
  const weight = shares.find((share) => share.guardrail === metric && share.segment === segment)?.weight ?? 0;
  const matureMs = durationMs(matureAfter[metric] ?? '1d', rollout.plan.dayMs);
  const matureBefore = dayOf(rollout, new Date(now.getTime() - matureMs));
  const common = { alpha, weight, minSample, breachedBefore };
  const described = { segment, metric, limit, alpha, weight, matureBefore, generations };
  if (segment === POOLED_SEGMENT) {
    const names = [...new Set(counts.map((count) => count.segment))].sort();
    const pooled = names.map((name) => ({ limit, buckets: bucketsOf(counts, name) }));
    const { events, harms, known } = counts.reduce(add, NOTHING);
    const evidence = { kind: 'pooled' as const, logE: spreadLogE(pooled), events, harms };
    const buckets = pooled.flatMap((one) => one.buckets);
    return { ...described, ...judge({ ...common, evidence, dataState: 'live' }), buckets, known };
  }
  const buckets = bucketsOf(counts, segment);
  const mature = buckets.filter(({ day }) => day < matureBefore).reduce(add, NOTHING);
  // An outcome missing at maturity is never a success: it weighs against the proof that all is well, and only there.
  const proof = {
    events: mature.events,
    harms: Math.min(mature.events, mature.harms + mature.events - mature.known),
  };
  const dataState = mature.events > 0 && mature.known === 0 ? ('no-data' as const) : ('live' as const);
  const evidence = { kind: 'rate' as const, limit, buckets, mature: proof };
  return {
    ...described,
    ...judge({ ...common, evidence, dataState }),
    buckets,
    known: buckets.reduce(add, NOTHING).known,
  };
}

const NOTHING: KnownBucket = { day: 0, events: 0, harms: 0, known: 0 };

const add = (sum: KnownBucket, more: KnownBucket): KnownBucket => ({
  day: sum.day,
  events: sum.events + more.events,
  harms: sum.harms + more.harms,
  known: sum.known + more.known,
});

async function generationsOf(db: Sql, rolloutId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('rollout_segment')
    .select(['segment', 'generation'])
    .where('rollout_id', '=', rolloutId)
    .execute();
  return Object.fromEntries(rows.map(({ segment, generation }) => [segment, generation]));
}
