import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { SourceCounts } from '../domain/metric-source.ts';

/** What is asked of the points that were sent for a metric. */
export interface OtlpQuestion {
  agent: string;
  metric: string;
  release: string;
  segment: string;
  from: Date;
  to: Date;
}

/** The points that were sent for a metric, of whole minutes; `undefined`: none ever came of this release and segment. */
export async function otlpCounts(
  db: Sql,
  { agent, metric, release, segment, from, to }: OtlpQuestion,
): Promise<SourceCounts | undefined> {
  const { rows } = await sql<SourceCounts & { points: number }>`
    SELECT coalesce(sum(events), 0) AS events, coalesce(sum(harms), 0) AS harms, count(*)::float8 AS points FROM otlp_count
    WHERE agent = ${agent} AND metric = ${metric} AND release = ${release} AND segment = ${segment}
      AND minute >= ${from} AND minute < ${to}`.execute(db);
  const [row] = rows;
  return row && row.points > 0 ? { events: row.events, harms: row.harms } : undefined;
}
