-- Once, from all that is stored.
INSERT INTO posture_count (agent, segment, actions, kept, begun, confirmed, credentialed, unknown)
SELECT x.agent, x.segment, count(*), count(*) FILTER (WHERE x.kept), count(*) FILTER (WHERE x.begun),
  count(*) FILTER (WHERE x.begun AND x.confirmed), count(*) FILTER (WHERE x.begun AND x.credentialed),
  count(*) FILTER (WHERE x.unknown)
FROM (
  SELECT a.agent, coalesce(a.segment, 'default') AS segment, a.kind = 'write' AND a.began_at IS NOT NULL AS begun,
    EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id) AS kept,
    CASE a.decided_by WHEN 'policy' THEN a.decided_at IS NOT NULL AND a.grant_name IS NOT NULL
      ELSE (SELECT count(*) FROM decision d WHERE d.action_id = coalesce(s.action_id, a.id)
          AND d.round = coalesce(s.round, a.round) AND d.verdict = 'approve' AND d.slot IS NOT NULL)
        >= CASE WHEN a.break_glass THEN 1 ELSE (SELECT sum((need ->> 'quorum')::int)
          FROM jsonb_array_elements(a.approval -> 'stages') AS stage (needs), jsonb_array_elements(needs) AS one (need)) END
    END AS confirmed,
    EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id) AS credentialed, a.state = 'unknown' AS unknown
  FROM action a LEFT JOIN standing_approval s ON s.id = a.standing_id
  UNION ALL
  SELECT r.agent, coalesce(r.segment, 'default'), false, r.args IS NOT NULL, false, false, false FROM read_record r
) x GROUP BY x.agent, x.segment;
---
CREATE FUNCTION pg_temp.since(p_agent text, p_release text, p_grant text, p_tool text, p_segment text, p_build text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT greatest('epoch', (SELECT u.evidence_from FROM autonomy u WHERE u.agent = p_agent AND u.release = p_release
      AND u.grant_name = p_grant AND u.tool = p_tool AND u.segment = p_segment AND u.agent_version = p_build),
    (SELECT max(i.opened_at) FROM incident i WHERE i.agent = p_agent AND coalesce(i.segment, p_segment) = p_segment))
$$;
---
CREATE TEMP TABLE slice_before ON COMMIT DROP AS
SELECT x.*, pg_temp.since(x.agent, x.release, x.grant_name, x.tool, x.segment, x.agent_version) AS since
FROM (SELECT DISTINCT agent, release, grant_name, tool, segment, agent_version FROM action
  WHERE kind = 'write' AND grant_name IS NOT NULL AND segment IS NOT NULL) x;
---
UPDATE action a SET earns_from = s.since FROM slice_before s
WHERE s.since > 'epoch' AND a.kind = 'write' AND a.agent = s.agent AND a.release = s.release AND a.grant_name = s.grant_name
  AND a.tool = s.tool AND a.segment = s.segment AND a.agent_version = s.agent_version AND a.asked_at > s.since;
---
INSERT INTO earned_count (agent, release, grant_name, tool, segment, build, since, done_by, decided, good, bad)
SELECT a.agent, a.release, a.grant_name, a.tool, a.segment, a.agent_version, a.earns_from,
  CASE WHEN g.good THEN date_trunc('hour', a.completed_at) + interval '1 hour' ELSE 'epoch' END,
  count(*) FILTER (WHERE NOT g.good AND a.decided_by = 'person'), count(*) FILTER (WHERE g.good),
  count(*) FILTER (WHERE NOT g.good AND ((a.decided_by = 'person' AND a.state = 'denied') OR a.round > 0
    OR a.corrected_at IS NOT NULL))
FROM action a JOIN slice_before s ON a.agent = s.agent AND a.release = s.release AND a.grant_name = s.grant_name
    AND a.tool = s.tool AND a.segment = s.segment AND a.agent_version = s.agent_version AND a.earns_from = s.since,
  (VALUES (false), (true)) AS g (good)
WHERE a.kind = 'write' AND a.standing_id IS NULL AND NOT a.break_glass AND (a.decided_by = 'person' OR a.earned OR a.round > 0)
  AND (NOT g.good OR (a.state = 'executed' AND a.round = 0 AND a.corrected_at IS NULL AND a.completed_at IS NOT NULL))
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
---
INSERT INTO volume_day (rollout_id, segment, tool, day, subject, begun, unasked, proposed)
SELECT v.rollout_id, v.segment, t.tool, v.day, v.subject, count(*) FILTER (WHERE v.begun),
  count(*) FILTER (WHERE v.decided_by = 'policy'), count(*) FILTER (WHERE NOT v.begun)
FROM (
  SELECT a.rollout_id, a.segment, a.tool, a.subject_digest AS subject, a.decided_by, b.begun,
    CASE WHEN b.begun THEN greatest(0, floor(extract(epoch FROM a.began_at - o.started_at) * 1000
        / coalesce((o.plan ->> 'dayMs')::numeric, 86400000)))::int
      WHEN a.decided_by IS DISTINCT FROM 'policy' AND a.state IN ('pending', 'approved', 'denied') THEN a.event_day END AS day
  FROM action a JOIN rollout o ON o.id = a.rollout_id,
    LATERAL (SELECT a.began_at IS NOT NULL AND a.state <> 'failed' AS begun) b
  WHERE a.arm = 'control' AND a.kind = 'write' AND a.segment IS NOT NULL AND a.phase = 'baseline'
) v, LATERAL (VALUES (v.tool), ('')) AS t (tool)
WHERE v.day IS NOT NULL GROUP BY 1, 2, 3, 4, 5;
---
INSERT INTO volume_count (rollout_id, segment, tool, begun, unasked, either)
SELECT rollout_id, segment, tool, count(*) FILTER (WHERE begun > 0), count(*) FILTER (WHERE unasked > 0), count(*)
FROM volume_day GROUP BY 1, 2, 3;
