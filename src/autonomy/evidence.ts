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
 * The evidence of a grant, per segment and build. Not counted: what nobody decided or edited (expired, withdrawn, void), what
 * ran under a standing approval or broken glass, failed or unknown writes, right ones younger than `matureBefore`, and
 * what was asked before people took back what it carried, or before the last incident there.
 */
export async function earnedCounts(
  db: Sql,
  { agent, release, grant, tool }: EarningGrant,
  matureBefore: Date,
): Promise<EarnedCounts[]> {
  const { rows } = await sql<EarnedCounts>`
    SELECT segment, agent_version AS "agentVersion",
      count(*) FILTER (WHERE decided_by = 'person')::int AS decided,
      count(*) FILTER (WHERE state = 'executed' AND round = 0 AND corrected_at IS NULL
        AND completed_at <= ${matureBefore})::int AS good,
      count(*) FILTER (WHERE (decided_by = 'person' AND state = 'denied') OR round > 0
        OR corrected_at IS NOT NULL)::int AS bad
    FROM action a
    WHERE agent = ${agent} AND release = ${release} AND grant_name = ${grant} AND tool = ${tool} AND kind = 'write'
      AND segment IS NOT NULL AND standing_id IS NULL AND NOT break_glass AND (decided_by = 'person' OR earned OR round > 0)
      AND asked_at > coalesce((SELECT u.evidence_from FROM autonomy u WHERE u.agent = a.agent AND u.release = a.release
        AND u.grant_name = a.grant_name AND u.tool = a.tool AND u.segment = a.segment
        AND u.agent_version = a.agent_version), '-infinity')
      AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.agent = a.agent AND coalesce(i.segment, a.segment) = a.segment
        AND i.opened_at >= a.asked_at)
    GROUP BY segment, agent_version
    ORDER BY segment, agent_version`.execute(db);
  return rows;
}
