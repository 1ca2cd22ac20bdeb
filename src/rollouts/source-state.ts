import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { durationMs } from '../domain/duration.ts';
import type { MetricSource } from '../domain/metric-source.ts';
import { type RolloutRecord, stepOf } from '../records/rollout.ts';

/** Of whom a source is asked in a segment. */
export interface Place {
  segment: string;
  arm: 'candidate' | 'control';
  release: string;
  generation: number;
  /** The first moment that counts. */
  since: Date;
}

/**
 * Before anything is exposed the release in force is looked at, for its baseline; then the candidate, where it is exposed and,
 * once it completed, in force.
 */
export async function placesOf(db: Sql, rollout: RolloutRecord): Promise<Place[]> {
  if (stepOf(rollout).phase === 'baseline')
    return Object.entries(rollout.plan.control).map(([segment, release]) => ({
      segment,
      release,
      arm: 'control',
      generation: 1,
      since: rollout.started_at,
    }));
  const { rows } = await sql<{ segment: string; generation: number; since: Date }>`
    SELECT s.segment, s.generation, (SELECT min(e.from_at) FROM exposure e
      WHERE e.rollout_id = s.rollout_id AND e.segment = s.segment AND e.generation = s.generation) AS since
    FROM rollout_segment s WHERE s.rollout_id = ${rollout.id} AND s.state = 'exposed' AND s.exposure > 0
      AND (${rollout.ended_at === null} OR EXISTS (SELECT 1 FROM in_force f
        WHERE f.agent = ${rollout.agent} AND f.segment = s.segment AND f.release = ${rollout.release}))`.execute(
    db,
  );
  return rows.flatMap(({ since, ...place }) =>
    since === null ? [] : { ...place, since, arm: 'candidate', release: rollout.release },
  );
}

/** Whether a source was read when everything of the watch of a rollout was there to read: nothing more can come of it. */
export const isReadThrough = (
  { watch_until }: Pick<RolloutRecord, 'watch_until'>,
  { delay }: MetricSource,
  readAt: Date | null,
): boolean =>
  watch_until !== null && readAt !== null && readAt.getTime() >= watch_until.getTime() + durationMs(delay);

/** A source that did not say all of a watch that is over. */
export interface Unread {
  segment: string;
  metric: string;
  because: string;
  /** Until when it may say it yet: then it is down for good. */
  waitUntil: Date;
}

/** What the sources of a rollout whose watch is over have not said of it. */
export async function unreadOf(db: Sql, rollout: RolloutRecord): Promise<Unread[]> {
  const sources = Object.entries(rollout.plan.sources ?? {});
  const overMs = rollout.watch_until?.getTime();
  if (sources.length === 0 || overMs === undefined) return [];
  const places = await placesOf(db, rollout);
  const known = await db
    .selectFrom('source_reading')
    .selectAll()
    .where('rollout_id', '=', rollout.id)
    .execute();
  return sources.flatMap(([metric, source]) =>
    places.flatMap(({ segment }) => {
      const row = known.find((one) => one.segment === segment && one.metric === metric);
      if (isReadThrough(rollout, source, row?.read_at ?? null)) return [];
      const waitUntil = new Date(overMs + durationMs(source.delay) + durationMs(source.staleAfter));
      return [{ segment, metric, because: whyUnread(row), waitUntil }];
    }),
  );
}

/** Why a source says nothing of a segment now; undefined: it was read lately enough, or all of a watch that is over. */
export async function sourceDown(
  db: Sql,
  rollout: RolloutRecord,
  metric: string,
  segment: string,
  source: MetricSource,
  now: Date,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('source_reading')
    .selectAll()
    .where('rollout_id', '=', rollout.id)
    .where('segment', '=', segment)
    .where('metric', '=', metric)
    .executeTakeFirst();
  if (isReadThrough(rollout, source, row?.read_at ?? null)) return undefined;
  // One that is exposed anew is read anew: until then nothing is known of it, and nothing is wrong.
  const sinceMs = (await exposedSince(db, rollout.id, segment))?.getTime() ?? 0;
  const knownMs = Math.max(sinceMs, row?.since.getTime() ?? 0, row?.read_at?.getTime() ?? 0);
  return now.getTime() <= knownMs + durationMs(source.staleAfter) ? undefined : whyUnread(row);
}

function whyUnread(row: { failure: string | null; read_at: Date | null } | undefined): string {
  if (!row) return 'it was not read yet: a process with the role background reads it';
  return row.failure ?? `it was last read ${row.read_at?.toISOString() ?? 'never'}`;
}

async function exposedSince(db: Sql, rollout: string, segment: string): Promise<Date | null> {
  const { rows } = await sql<{ since: Date | null }>`
    SELECT min(e.from_at) AS since FROM exposure e JOIN rollout_segment s
      ON s.rollout_id = e.rollout_id AND s.segment = e.segment AND s.generation = e.generation
    WHERE e.rollout_id = ${rollout} AND e.segment = ${segment}`.execute(db);
  return rows[0]?.since ?? null;
}
