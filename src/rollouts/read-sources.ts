import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database, Sql } from '../db/database.ts';
import { durationMs } from '../domain/duration.ts';
import type { MetricSource, SourceCounts } from '../domain/metric-source.ts';
import type { SourceCredentials } from '../metric-sources/credentials.ts';
import { NoCount, readSource } from '../metric-sources/read.ts';
import { SourceFailure } from '../net/source-failure.ts';
import { CAN_ROLL_BACK, dayOf, type RolloutRecord, recordOf } from '../records/rollout.ts';
import { approvalCountsOf } from './approval-counts.ts';
import { otlpCounts, otlpHeardAt } from './otlp-counts.ts';
import { isReadThrough, type Place, placesOf } from './source-state.ts';

/** Read at the same time; one that hangs keeps the others of its batch waiting for seconds. */
const AT_ONCE = 8;
/** The build of what a source counts: it knows none. */
export const SOURCE_BUILD = '';
/** What an outage may keep back. */
const DAYS_MAX = 31;
const VANISHED = 'it says nothing any more of what it counted before: is the metric gone?';

/** One metric of one segment, as it is to be read. */
interface Target extends Place {
  rollout: RolloutRecord;
  metric: string;
  source: MetricSource;
  counted: boolean;
  wasDown: boolean;
  /** When it was read last, all of it. */
  readAt: Date | null;
}

/**
 * Reads every source that is due, of the rollouts that are watched: in the baseline what the release in force does, then what
 * the candidate does where it is exposed, up to the end of its watch. Each day is read whole, again and again, and the day before with it: what comes late
 * is counted, and nothing twice. To be run by one process at a time. Returns how many it read.
 */
export async function readSources(
  { db, clock }: { db: Database; clock: Clock },
  credentials: SourceCredentials,
): Promise<number> {
  const due = await dueTargets(db.sql, clock.now());
  for (let from = 0; from < due.length; from += AT_ONCE)
    await Promise.all(
      due.slice(from, from + AT_ONCE).map((target) => readTarget(db.sql, clock, target, credentials)),
    );
  return due.length;
}

async function dueTargets(db: Sql, now: Date): Promise<Target[]> {
  const rows = await db
    .selectFrom('rollout')
    .selectAll()
    .where('sourced', '=', true)
    .where('watch_ended_at', 'is', null)
    .where(CAN_ROLL_BACK)
    .orderBy('id')
    .execute();
  const targets: Target[] = [];
  for (const row of rows) targets.push(...(await targetsOf(db, recordOf(row), now)));
  return targets;
}

async function targetsOf(db: Sql, rollout: RolloutRecord, now: Date): Promise<Target[]> {
  const places = await placesOf(db, rollout);
  const known = await db
    .selectFrom('source_reading')
    .selectAll()
    .where('rollout_id', '=', rollout.id)
    .execute();
  return Object.entries(rollout.plan.sources ?? {}).flatMap(([metric, source]) =>
    places.flatMap((place): Target[] => {
      const before = known.find((row) => row.segment === place.segment && row.metric === metric);
      const same = before?.since.getTime() === place.since.getTime() ? before : undefined;
      if (same && now.getTime() - same.tried_at.getTime() < durationMs(source.every)) return [];
      if (same && isReadThrough(rollout, source, same.read_at)) return [];
      const wasDown = same ? same.failure !== null : false;
      return [
        {
          rollout,
          metric,
          source,
          ...place,
          counted: same?.counted ?? false,
          wasDown,
          readAt: same?.read_at ?? null,
        },
      ];
    }),
  );
}

async function readTarget(
  db: Sql,
  clock: Clock,
  target: Target,
  credentials: SourceCredentials,
): Promise<void> {
  const triedAt = clock.now();
  const { days, failure, readAt } = await readDays(db, target, triedAt, credentials).catch(
    (error: unknown): Read => ({ days: [], failure: failureText(error), readAt: null }),
  );
  await db.transaction().execute(async (tx) => {
    const changed = await keepCounts(tx, target, days);
    const counted = target.counted || days.some(({ events }) => events > 0);
    const { rollout, segment, metric, since } = target;
    const row = { since, tried_at: triedAt, failure, counted, ...(readAt && { read_at: readAt }) };
    await tx
      .insertInto('source_reading')
      .values({ rollout_id: rollout.id, segment, metric, ...row })
      .onConflict((conflict) => conflict.columns(['rollout_id', 'segment', 'metric']).doUpdateSet(row))
      .execute();
    // What is down becomes so by time alone: it is judged again as long as it fails.
    if (target.arm === 'candidate' && (changed || failure !== null || target.wasDown))
      await sql`SELECT queue_judgement(${rollout.id}, ${segment}, ${triedAt})`.execute(tx);
  });
}

/** The words of what is no failure of a source may say its address; one that fails so keeps no other from being read. */
function failureText(error: unknown): string {
  if (error instanceof SourceFailure) return error.message;
  return `it cannot be read (${error instanceof Error ? error.name : 'unknown error'})`;
}

interface DayCounts {
  day: number;
  events: number;
  harms: number;
}

/** What was read, what could not be, and up to when it is known; null: no further than before. */
interface Read {
  days: DayCounts[];
  failure: string | null;
  readAt: Date | null;
}

/**
 * Every day since it was last read, and the one before: of that something may have come late, and of an outage everything. A
 * day of which it says no count keeps no other from counting.
 * @throws SourceFailure
 */
async function readDays(db: Sql, target: Target, now: Date, credentials: SourceCredentials): Promise<Read> {
  const { rollout, source, since } = target;
  const beginMs = since.getTime() + durationMs(source.warmUp);
  const overMs = rollout.watch_until?.getTime() ?? Number.POSITIVE_INFINITY;
  const endMs = Math.min(now.getTime() - durationMs(source.delay), overMs);
  const days: DayCounts[] = [];
  let failure: string | null = null;
  const today = dayOf(rollout, new Date(endMs));
  const lastMs = (target.readAt ?? since).getTime() - durationMs(source.delay);
  const first = Math.max(today - DAYS_MAX, Math.min(today, dayOf(rollout, new Date(lastMs))) - 1);
  for (let day = first; day <= today; day += 1) {
    const dayMs = rollout.started_at.getTime() + day * rollout.plan.dayMs;
    const from = new Date(Math.max(dayMs, beginMs));
    const to = new Date(Math.min(dayMs + rollout.plan.dayMs, endMs));
    if (day < 0 || to <= from) continue;
    const counts = await countsIn(db, target, { from, to }, credentials).catch((error: unknown) => {
      if (!(error instanceof NoCount)) throw error;
      failure ??= error.message;
      return undefined;
    });
    if (counts) days.push({ day, ...counts });
  }
  if (failure !== null) return { days, failure, readAt: null };
  if (source.otlp) return { days, ...(await heard(db, target, now)) };
  if (days.length === 0 && target.counted) throw new SourceFailure(VANISHED);
  return { days, failure, readAt: now };
}

/** What is sent is known up to when whoever sends it was last heard. */
async function heard(
  db: Sql,
  { rollout, metric, release, source }: Target,
  now: Date,
): Promise<Pick<Read, 'failure' | 'readAt'>> {
  const readAt = await otlpHeardAt(db, { agent: rollout.agent, metric, release });
  if (readAt === null) return { failure: 'no exporter sent it yet', readAt };
  const isSilent = now.getTime() - readAt.getTime() > durationMs(source.staleAfter);
  const failure = isSilent ? `no exporter that sends it was heard since ${readAt.toISOString()}` : null;
  return { failure, readAt };
}

/** What happened in a time, by whoever counts it; `undefined`: it knows of no such events. @throws SourceFailure */
async function countsIn(
  db: Sql,
  target: Target,
  time: { from: Date; to: Date },
  credentials: SourceCredentials,
): Promise<SourceCounts | undefined> {
  const { rollout, source } = target;
  if (source.otlp) return otlpCounts(db, { ...target, ...time, agent: rollout.agent });
  if (source.approvals)
    return approvalCountsOf(db, source.approvals, { ...target, ...time, rollout: rollout.id });
  const answer = await readSource(source, { ...target, ...time }, credentials);
  return 'counts' in answer ? answer.counts : undefined;
}

/** A count only grows: a source that says less than before has lost something. Whether anything is new. */
async function keepCounts(tx: Sql, target: Target, days: readonly DayCounts[]): Promise<boolean> {
  const { rollout, segment, metric, arm, generation } = target;
  let changed = false;
  for (const { day, events, harms } of days) {
    // A day on which nothing came has no place among the days of the process (STATISTICS 4.6).
    if (events === 0) continue;
    const { numAffectedRows } = await sql`
      INSERT INTO day_count AS c (rollout_id, arm, segment, generation, metric, day, build, events, harms, known)
      VALUES (${rollout.id}, ${arm}, ${segment}, ${generation}, ${metric}, ${day}, ${SOURCE_BUILD}, ${events}, ${harms}, ${events})
      ON CONFLICT (rollout_id, arm, segment, generation, metric, day, build) DO UPDATE
      SET events = greatest(c.events, excluded.events), harms = greatest(c.harms, excluded.harms),
        known = greatest(c.known, excluded.known)
      WHERE c.events < excluded.events OR c.harms < excluded.harms`.execute(tx);
    changed ||= (numAffectedRows ?? 0n) > 0n;
  }
  return changed;
}
