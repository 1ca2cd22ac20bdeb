import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { durationMs } from '../domain/duration.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { type JudgedFacts, judgeFacts } from '../domain/evidence/facts.ts';
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
  build: string;
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
    .select(['segment', 'generation', 'day', 'build', 'events', 'harms', 'known'])
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

/** Sums the generations that count into one bucket a day of each segment and build. */
function bucketsOf(counts: readonly Count[]): KnownBucket[] {
  const buckets = new Map<string, KnownBucket>();
  for (const { segment, day, build, events, harms, known } of counts) {
    const key = JSON.stringify([segment, day, build]);
    const sum = buckets.get(key) ?? { segment, day, build, events: 0, harms: 0, known: 0 };
    const more = { events: sum.events + events, harms: sum.harms + harms, known: sum.known + known };
    buckets.set(key, { ...sum, ...more });
  }
  const order = ({ segment, day, build }: KnownBucket) =>
    [segment, String(day).padStart(4, '0'), build].join('\n');
  return [...buckets.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
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
  const pooled = segment === POOLED_SEGMENT;
  const facts: JudgedFacts = {
    kind: pooled ? 'pooled' : 'rate',
    limit,
    alpha,
    weight,
    minSample,
    breachedBefore,
    matureBefore,
    builds: rollout.builds.filter((build) => build.counts).map(({ version }) => version),
    buckets: bucketsOf(counts.filter((count) => pooled || count.segment === segment)),
  };
  return { segment, metric, generations, ...facts, ...judgeFacts(facts) };
}

async function generationsOf(db: Sql, rolloutId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('rollout_segment')
    .select(['segment', 'generation'])
    .where('rollout_id', '=', rolloutId)
    .execute();
  return Object.fromEntries(rows.map(({ segment, generation }) => [segment, generation]));
}
