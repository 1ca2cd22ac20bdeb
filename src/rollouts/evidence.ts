import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import type { CountFacts, ExposedDays } from '../domain/evidence/companion.ts';
import type { JudgedFacts, Process, SumDay, SumFacts } from '../domain/evidence/facts.ts';
import { judgeFacts } from '../domain/evidence/judge-facts.ts';
import type { MetricSource } from '../domain/metric-source.ts';
import { wholeFrom } from '../domain/rollout/join.ts';
import {
  dayOf,
  type FrozenGuardrail,
  type RolloutRecord,
  ripeBefore,
  type SumLimits,
} from '../records/rollout.ts';
import type { KnownBucket, VerdictRecord } from '../records/verdict.ts';
import { COMMITTED_WITHIN_MS } from './committed.ts';
import { comparedFacts } from './compared.ts';
import { ofLiving } from './living.ts';
import { processesOf } from './processes.ts';
import { SOURCE_BUILD } from './read-sources.ts';
import { sourceDown } from './source-state.ts';

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

/** What one judgement may rest on: the candidate's counts, of the segment or of all, and the breaches of the same process in earlier generations. */
interface Found {
  counts: readonly Count[];
  breaches: readonly VerdictRecord[];
}

async function foundOf(
  db: Sql,
  rolloutId: string,
  metric: string,
  judged: string,
  generation: number,
): Promise<Found> {
  let ofCandidate = db
    .selectFrom('day_count')
    .select(['segment', 'generation', 'day', 'build', 'events', 'harms', 'known'])
    .where('rollout_id', '=', rolloutId)
    .where('metric', '=', metric)
    .where('arm', '=', 'candidate');
  if (judged !== POOLED_SEGMENT) ofCandidate = ofCandidate.where('segment', '=', judged);
  const counts = await ofCandidate.execute();
  const breaches = await db
    .selectFrom('verdict')
    .select('record')
    .where('rollout_id', '=', rolloutId)
    .where('metric', '=', metric)
    .where('segment', '=', judged)
    .where('verdict', '=', 'breach')
    .where('generation', '<', generation)
    .execute();
  return { counts, breaches: breaches.map(({ record }) => record as VerdictRecord) };
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
  /** As of when: of one whose watch is over, its end. */
  now: Date;
  /** When it is judged. */
  judgedAt: Date;
  minSample: number;
  /** What reached its threshold in this generation already: it is frozen. */
  firedBefore: readonly Process[];
  /** Of the process judged: the segment's own, or the sum of all for `*`. */
  generation: number;
}

/** Judges one guardrail in one segment, and over all of them together for `*`. */
export async function judgeGuardrail(
  db: Sql,
  rollout: RolloutRecord,
  guardrail: FrozenGuardrail,
  segment: string,
  context: JudgeContext,
): Promise<VerdictRecord> {
  const { now, judgedAt, minSample, firedBefore, generation } = context;
  const { metric } = guardrail;
  const { alpha } = rollout.plan;
  const { counts, breaches } = await foundOf(db, rollout.id, metric, segment, generation);
  const generations = await generationsOf(db, rollout.id);
  const source = rollout.plan.sources?.[metric];
  const builds = rollout.builds.filter((build) => build.counts).map(({ version }) => version);
  if (source && builds.length === 0) builds.push(SOURCE_BUILD);
  const matureBefore = ripeBefore(rollout, metric, now);
  const committed = new Date(Math.min(now.getTime(), judgedAt.getTime() - COMMITTED_WITHIN_MS));
  const provesFrom = wholeFrom(rollout.plan.joined, segment);
  const sums = rollout.plan.sums?.[metric];
  const { rate, count, control, difference } = processesOf(rollout, guardrail, segment);
  const facts: JudgedFacts = {
    kind: segment === POOLED_SEGMENT ? 'pooled' : 'rate',
    ...rate,
    alpha,
    minSample,
    breachedBefore: firedBefore.includes('rate'),
    matureBefore,
    ...(provesFrom > 0 && { provesFrom }),
    builds,
    buckets: sums ? [] : bucketsOf(ofLiving(source ? ofSource(counts, rollout) : counts, breaches, 'rate')),
    ...(source && (await sourceFacts(db, rollout, metric, segment, source, judgedAt))),
    ...(sums && { sums: sumFactsOf(await sumDaysOf(db, rollout, metric, segment), breaches, sums) }),
    ...(count && {
      count: {
        ...count,
        exposed: await exposedDays(db, rollout, now, breaches, Object.keys(count.perDay)),
        harms: harmsOf(ofLiving(counts, breaches, 'count'), Object.keys(count.perDay)),
        firedBefore: firedBefore.includes('count'),
      },
    }),
    ...((control || difference) &&
      (await comparedFacts(
        db,
        rollout,
        { control, difference },
        {
          ...{ metric, segment, generation, breaches },
          matureBefore: ripeBefore(rollout, metric, committed),
          firedBefore: firedBefore.includes('control'),
        },
      ))),
  };
  const { count: _count, control: _control, difference: _difference, ...rest } = facts;
  const { atLeast } = guardrail;
  const unit = rollout.plan.sums?.[metric]?.unit;
  const named = {
    ...{ segment, metric, generations },
    ...(atLeast !== undefined && { atLeast }),
    ...(unit !== undefined && { unit }),
  };
  return { ...named, ...rest, ...judgeFacts(facts) };
}

/** A source knows no build: what it counts is that of the first that fills the sample, from its first whole day on. */
function ofSource(counts: readonly Count[], { builds }: RolloutRecord): readonly Count[] {
  const counting = builds.find((build) => build.counts);
  if (counting === undefined) return counts;
  const { version, fromDay = 0 } = counting;
  return counts.map((count) => (count.day >= fromDay ? { ...count, build: version } : count));
}

async function sourceFacts(
  db: Sql,
  rollout: RolloutRecord,
  metric: string,
  segment: string,
  source: MetricSource,
  now: Date,
): Promise<Pick<JudgedFacts, 'sourceDown'>> {
  if (segment === POOLED_SEGMENT) return {};
  const why = await sourceDown(db, rollout, metric, segment, source, now);
  return why === undefined ? {} : { sourceDown: why };
}

/** The sums of the candidate, one a day of each segment, build and generation; of all segments for `*`. */
export async function sumDaysOf(
  db: Sql,
  { id, plan }: RolloutRecord,
  metric: string,
  judged: string,
): Promise<(SumDay & { generation: number })[]> {
  const { rows } = await sql<SumDay & { generation: number }>`
    SELECT s.segment, s.build, s.generation, s.day, c.events, c.known, s.total::text, s.logs::text[], s.safety::text[], s.over, s.per::text
    FROM day_sum s JOIN day_count c USING (rollout_id, arm, segment, generation, metric, day, build)
    WHERE s.rollout_id = ${id} AND s.metric = ${metric} AND s.arm = 'candidate'
      AND (${judged} = ${POOLED_SEGMENT} OR s.segment = ${judged})
    ORDER BY s.segment, s.day, s.build, s.generation`.execute(db);
  const isRatio = plan.sums?.[metric]?.perMax !== undefined;
  return rows.map(({ per, ...row }) => (isRatio ? { ...row, per } : row));
}

/** Those of the generations that count; several of a day add up. */
function sumFactsOf(
  days: readonly (SumDay & { generation: number })[],
  breaches: readonly VerdictRecord[],
  { cap, perMax }: SumLimits,
): SumFacts {
  const buckets = ofLiving(days, breaches, 'rate').map(({ generation: _, ...day }) => day);
  return { buckets, ...(cap !== undefined && { cap }), ...(perMax !== undefined && { perMax }) };
}

async function exposedDays(
  db: Sql,
  rollout: RolloutRecord,
  now: Date,
  breaches: readonly VerdictRecord[],
  segments: readonly string[],
): Promise<ExposedDays[]> {
  const rows = await db
    .selectFrom('exposure')
    .select(['segment', 'generation', 'exposure', 'from_at', 'until_at'])
    .where('rollout_id', '=', rollout.id)
    .where('segment', 'in', segments)
    .orderBy('segment')
    .orderBy('from_at')
    .execute();
  return ofLiving(rows, breaches, 'count').map(({ segment, exposure, from_at, until_at }) => ({
    segment,
    fromDay: dayOf(rollout, from_at),
    toDay: dayOf(rollout, until_at ?? now),
    exposure,
  }));
}

/** One row a segment and day on which there was harm. */
function harmsOf(counts: readonly Count[], segments: readonly string[]): CountFacts['harms'] {
  const oneBuild = counts.map((count) => ({ ...count, build: '' }));
  return bucketsOf(oneBuild).flatMap(({ segment, day, harms }) =>
    harms > 0 && segments.includes(segment) ? { segment, day, harms } : [],
  );
}

async function generationsOf(db: Sql, rolloutId: string): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('rollout_segment')
    .select(['segment', 'generation'])
    .where('rollout_id', '=', rolloutId)
    .execute();
  return Object.fromEntries(rows.map(({ segment, generation }) => [segment, generation]));
}
