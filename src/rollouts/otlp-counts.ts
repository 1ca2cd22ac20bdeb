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

/**
 * The points that were sent for a metric, of whole minutes. Events and harms are series of their own: harm that was sent in a
 * later minute than its event, over the end of a time, is no more than its events then.
 */
export async function otlpCounts(
  db: Sql,
  { agent, metric, release, segment, from, to }: OtlpQuestion,
): Promise<SourceCounts> {
  const { rows } = await sql<SourceCounts>`
    SELECT ceil(coalesce(sum(events), 0)) AS events, floor(least(coalesce(sum(harms), 0), coalesce(sum(events), 0))) AS harms
    FROM otlp_count WHERE agent = ${agent} AND metric = ${metric} AND release = ${release} AND segment = ${segment}
      AND minute >= ${from} AND minute < ${to}`.execute(db);
  return rows[0] ?? { events: 0, harms: 0 };
}

/**
 * When an exporter that counts this metric of the release was last heard, whatever it sent: a quiet one lives, and one that died
 * is an outage. Of a release that nobody counted yet, any that counts the metric.
 */
export async function otlpHeardAt(
  db: Sql,
  { agent, metric, release }: Pick<OtlpQuestion, 'agent' | 'metric' | 'release'>,
): Promise<Date | null> {
  const { rows } = await sql<{ own: Date | null; any: Date | null }>`
    SELECT max(e.heard_at) FILTER (WHERE s.release = ${release}) AS own, max(e.heard_at) AS any
    FROM otlp_sender s JOIN otlp_exporter e ON e.agent = s.agent AND e.exporter = s.exporter
    WHERE s.agent = ${agent} AND s.metric = ${metric}`.execute(db);
  return rows[0]?.own ?? rows[0]?.any ?? null;
}
