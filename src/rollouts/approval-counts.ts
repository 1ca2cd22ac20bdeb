import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { ApprovalSource, SourceCounts } from '../domain/metric-source.ts';

/** Faster than anybody reads a question. */
const HASTY_MS = 3_000;

/** Whose questions are looked at, and when they were answered. */
export interface ApprovalQuestion {
  rollout: string;
  segment: string;
  arm: string;
  from: Date;
  to: Date;
}

/**
 * How people answered the questions of an arm. `hasty`: approvals of whom it is known when they could first see the question,
 * harm those within three seconds of it. `load`: people who answered, harm those with more answers than that.
 */
export async function approvalCountsOf(
  db: Sql,
  source: ApprovalSource,
  { rollout, segment, arm, from, to }: ApprovalQuestion,
): Promise<SourceCounts> {
  // By the answers of the time, never by all that the arm did: with nothing added the index of whole rollouts looks as good.
  const answers = sql`SELECT d.person, d.verdict, d.at - d.shown_at AS took FROM decision d JOIN action a ON a.id = d.action_id
    WHERE d.at >= ${from} AND d.at < ${to} AND a.rollout_id || '' = ${rollout} AND a.segment = ${segment} AND a.arm = ${arm}`;
  const { rows } = await (source === 'hasty'
    ? sql<SourceCounts>`SELECT count(*)::float8 AS events,
        (count(*) FILTER (WHERE took < ${HASTY_MS} * interval '1 ms'))::float8 AS harms
        FROM (${answers}) x WHERE verdict = 'approve' AND took IS NOT NULL`
    : sql<SourceCounts>`SELECT count(*)::float8 AS events, (count(*) FILTER (WHERE n > ${source.load}))::float8 AS harms
        FROM (SELECT person, count(*) AS n FROM (${answers}) x GROUP BY person) y`
  ).execute(db);
  return rows[0] ?? { events: 0, harms: 0 };
}
