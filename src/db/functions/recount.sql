-- Counts what is stored, instead of what is added up and due: in one statement, so that whatever happens meanwhile is either
-- stored for it or stays due. The caller is alone (fold_counts waits), and nobody else waits for it.
CREATE FUNCTION recount_posture() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  DELETE FROM posture_count;
  WITH known AS (DELETE FROM posture_due)
  INSERT INTO posture_count (agent, segment, actions, kept, begun, confirmed, credentialed, unknown)
  SELECT x.agent, x.segment, count(*), count(*) FILTER (WHERE x.kept), count(*) FILTER (WHERE x.begun),
    count(*) FILTER (WHERE x.begun AND x.confirmed), count(*) FILTER (WHERE x.begun AND x.credentialed),
    count(*) FILTER (WHERE x.unknown)
  FROM (
    SELECT a.agent, coalesce(a.segment, 'default') AS segment, a.kind = 'write' AND a.began_at IS NOT NULL AS begun,
      EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id) AS kept,
      is_confirmed(a) AS confirmed,
      EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id) AS credentialed, a.state = 'unknown' AS unknown
    FROM action a
    UNION ALL
    SELECT r.agent, coalesce(r.segment, 'default'), false, r.args IS NOT NULL, false, false, false FROM read_record r
  ) x GROUP BY x.agent, x.segment;
END $$;
---
CREATE FUNCTION recount_earned() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  DELETE FROM earned_count;
  WITH known AS (DELETE FROM earned_due)
  INSERT INTO earned_count (agent, release, grant_name, tool, segment, build, since, done_by, decided, good, bad)
  SELECT a.agent, a.release, a.grant_name, a.tool, a.segment, a.agent_version, a.earns_from,
    end_of_quarter(e.done_by, coalesce((SELECT i.day_ms FROM installation i), 86400000)),
    sum(e.decided), sum(e.good), sum(e.bad)
  -- OFFSET 0: Postgres cannot plan a function of a row of partitions once it is inlined.
  FROM action a, LATERAL (SELECT * FROM earned_of(a, 1) OFFSET 0) e GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
END $$;
---
CREATE FUNCTION recount_volumes() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  DELETE FROM volume_day;
  DELETE FROM volume_count;
  WITH known AS (DELETE FROM volume_due)
  INSERT INTO volume_day (rollout_id, segment, tool, day, subject, begun, unasked, proposed)
  SELECT a.rollout_id, a.segment, t.tool, v.day, a.subject_digest, sum(v.begun), sum(v.unasked), sum(v.proposed)
  FROM action a, LATERAL (SELECT * FROM volume_of(a, 1) OFFSET 0) v, LATERAL (VALUES (a.tool), ('')) AS t (tool)
  WHERE a.phase = 'baseline' AND a.arm = 'control' GROUP BY 1, 2, 3, 4, 5;
  INSERT INTO volume_count (rollout_id, segment, tool, begun, unasked, either)
  SELECT rollout_id, segment, tool, count(*) FILTER (WHERE begun > 0), count(*) FILTER (WHERE unasked > 0), count(*)
  FROM volume_day GROUP BY 1, 2, 3;
END $$;
