import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

/** One grant for one tool. */
export interface EarningGrant {
  agent: string;
  release: string;
  grant: string;
  tool: string;
}

/** What people and time said of the writes of one build in one segment. Whole numbers. */
export interface EarnedCounts {
  segment: string;
  agentVersion: string;
  /** Decided by people, one by one. */
  decided: number;
  /** Approved unedited, executed, old enough and not corrected. */
  good: number;
  /** Denied, edited or corrected, however young. */
  bad: number;
}

/**
 * The evidence of a grant, per segment and build, from counts kept as it happened. Not counted: what nobody decided or edited
 * (expired, withdrawn, void), what ran under a standing approval or broken glass, failed or unknown writes, right ones
 * younger than `matureBefore` (by the end of the quarter of a day they were done in: never too early), and what was asked
 * before people took back what it carried, or before the last incident there.
 */
export async function earnedCounts(
  db: Sql,
  { agent, release, grant, tool }: EarningGrant,
  matureBefore: Date,
): Promise<EarnedCounts[]> {
  const columns = sql`segment, build, since, done_by, decided, good, bad`;
  const own = sql`agent = ${agent} AND release = ${release} AND grant_name = ${grant} AND tool = ${tool}`;
  const { rows } = await sql<EarnedCounts>`
    SELECT segment, build AS "agentVersion", decided, good, bad FROM (
      SELECT segment, build, since, sum(decided)::int AS decided,
        coalesce(sum(good) FILTER (WHERE done_by <= ${matureBefore}), 0)::int AS good, sum(bad)::int AS bad,
        sum(good) AS young_and_old
      FROM (SELECT ${columns} FROM earned_count WHERE ${own}
        UNION ALL SELECT ${columns} FROM earned_due WHERE ${own}) AS e
      GROUP BY segment, build, since) AS slice
    WHERE since = earning_since(${agent}, ${release}, ${grant}, ${tool}, segment, build)
      AND (decided > 0 OR bad > 0 OR young_and_old > 0)
    ORDER BY segment, build`.execute(db);
  return rows;
}
