import { sql } from 'kysely';
import type { Sql } from '../../../src/db/database.ts';

/** Posture, from every action there is. */
export async function postureOfHistory(db: Sql, now: Date) {
  const { rows } = await sql`
    WITH counted AS (
      SELECT a.agent, coalesce(a.segment, 'default') AS segment, a.kind = 'write' AND a.began_at IS NOT NULL AS begun,
        EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id)
          OR EXISTS (SELECT 1 FROM read_record r WHERE r.id = a.id AND r.args IS NOT NULL) AS kept,
        CASE a.decided_by
          WHEN 'policy' THEN a.decided_at IS NOT NULL AND a.grant_name IS NOT NULL
          ELSE (SELECT count(*) FROM decision d WHERE d.action_id = coalesce(s.action_id, a.id)
              AND d.round = coalesce(s.round, a.round) AND d.verdict = 'approve' AND d.slot IS NOT NULL)
            >= CASE WHEN a.break_glass THEN 1 ELSE (SELECT sum((need ->> 'quorum')::int)
              FROM jsonb_array_elements(a.approval -> 'stages') AS stage (needs), jsonb_array_elements(needs) AS one (need)) END
        END AS confirmed,
        EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id) AS credentialed,
        a.state = 'unknown' OR (a.state = 'executing' AND a.deadline_at < ${now}) AS unpaired
      FROM any_action a LEFT JOIN standing_approval s ON s.id = a.standing_id
    )
    SELECT segment, count(*)::int AS actions, (count(*) FILTER (WHERE kept))::int AS kept,
      (count(*) FILTER (WHERE begun))::int AS begun, (count(*) FILTER (WHERE begun AND confirmed))::int AS confirmed,
      (count(*) FILTER (WHERE begun AND credentialed))::int AS credentialed,
      (count(*) FILTER (WHERE unpaired))::int AS unpaired
    FROM counted GROUP BY agent, segment ORDER BY agent, segment`.execute(db);
  return rows;
}

/** What the writes of one grant for one tool are worth, from all of them. */
export async function earnedOfHistory(
  db: Sql,
  { agent, release, grant, tool }: { agent: string; release: string; grant: string; tool: string },
) {
  const { rows } = await sql`
    SELECT * FROM (
      SELECT segment, agent_version AS "agentVersion", count(*) FILTER (WHERE decided_by = 'person')::int AS decided,
        count(*) FILTER (WHERE state = 'executed' AND round = 0 AND corrected_at IS NULL)::int AS good,
        count(*) FILTER (WHERE (decided_by = 'person' AND state = 'denied') OR round > 0
          OR corrected_at IS NOT NULL)::int AS bad
      FROM action a
      WHERE agent = ${agent} AND release = ${release} AND grant_name = ${grant} AND tool = ${tool} AND kind = 'write'
        AND segment IS NOT NULL AND standing_id IS NULL AND NOT break_glass AND (decided_by = 'person' OR earned OR round > 0)
        AND asked_at > coalesce((SELECT u.evidence_from FROM autonomy u WHERE u.agent = a.agent AND u.release = a.release
          AND u.grant_name = a.grant_name AND u.tool = a.tool AND u.segment = a.segment
          AND u.agent_version = a.agent_version), '-infinity')
        AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.agent = a.agent AND i.restarts_evidence AND coalesce(i.segment, a.segment) = a.segment
          AND i.opened_at >= a.asked_at)
      GROUP BY segment, agent_version) AS x
    WHERE decided + good + bad > 0 ORDER BY segment, "agentVersion"`.execute(db);
  return rows;
}

/** Subject-days of a baseline, from all its actions. */
export async function volumeOfHistory(db: Sql, rollout: string, tool: string | null, proposals: boolean) {
  const { rows } = await sql`
    SELECT d.segment, count(DISTINCT (d.subject_digest, d.day))::int AS writes,
      (count(DISTINCT (d.subject_digest, d.day)) FILTER (WHERE d.decided_by = 'policy'))::int AS unasked
    FROM (SELECT a.segment, a.subject_digest, a.decided_by,
        CASE WHEN a.began_at IS NOT NULL AND a.state <> 'failed' THEN event_day(a.rollout_id, a.began_at)
          WHEN ${proposals} AND a.decided_by IS DISTINCT FROM 'policy' AND a.state IN ('pending', 'approved', 'denied')
          THEN a.event_day END AS day
      FROM action a
      WHERE a.rollout_id = ${rollout} AND a.arm = 'control' AND a.kind = 'write' AND a.tool = coalesce(${tool}, a.tool)) d
    WHERE d.day IS NOT NULL GROUP BY d.segment ORDER BY d.segment`.execute(db);
  return rows;
}
