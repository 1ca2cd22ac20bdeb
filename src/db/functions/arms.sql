-- The lowest id that a moment can give: lowestIdAt() says the same.
CREATE FUNCTION lowest_id(p_at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT (lpad(to_hex(floor(extract(epoch FROM p_at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
---
-- How often the arms of a segment had been accepted as they are by then: what is asked later counts anew.
CREATE FUNCTION arms_round(p_rollout text, p_segment text, p_generation int, p_at timestamptz) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT count(*)::int FROM arms_mismatch m
  WHERE m.rollout_id = p_rollout AND m.segment = p_segment AND m.generation = p_generation AND m.accepted_at < p_at
$$;
---
-- Reads at most p_most of what the agent of a rollout asked before p_until and since it was last read, and counts whom a write
-- was asked for while chance decided the arm: each subject once in a segment, by its first question, whatever the answer was,
-- for that differs between the arms. Returns how many it read. In the order of agent and id, which one index alone has, whatever the
-- statistics say.
CREATE FUNCTION count_arms(p_rollout text, p_until timestamptz, p_most int) RETURNS int LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_agent text := (SELECT o.agent FROM rollout o WHERE o.id = p_rollout);
  v_from uuid := coalesce((SELECT r.upto FROM arms_read r WHERE r.rollout_id = p_rollout), lowest_id('epoch'));
  v_to uuid := lowest_id(p_until);
  v_begin timestamptz;
  v_taken int;
  v_last uuid;
BEGIN
  SELECT min(e.from_at) INTO v_begin FROM exposure e
  WHERE e.rollout_id = p_rollout AND e.exposure < 10000 AND (e.until_at IS NULL OR lowest_id(e.until_at) > v_from);
  -- Where all or none is exposed there is nothing to read for, as long as that may be.
  v_from := greatest(v_from, lowest_id(v_begin));
  IF v_begin IS NULL OR v_from >= v_to THEN RETURN 0; END IF;
  WITH taken AS MATERIALIZED (
    SELECT a.id, a.rollout_id, a.kind, a.segment, a.generation, a.arm, a.bucket, a.subject_digest, a.asked_at
    FROM action a WHERE (a.agent, a.id) > (v_agent, v_from) AND (a.agent, a.id) < (v_agent, v_to)
    ORDER BY a.agent, a.id LIMIT p_most
  ), placed AS MATERIALIZED (
    SELECT DISTINCT ON (t.segment, t.subject_digest) t.*, e.exposure,
      arms_round(p_rollout, t.segment, t.generation, t.asked_at) AS round
    FROM taken t JOIN exposure e ON e.rollout_id = t.rollout_id AND e.segment = t.segment AND e.generation = t.generation
      AND e.from_at <= t.asked_at AND (e.until_at IS NULL OR e.until_at > t.asked_at)
    -- One too many has no bucket, and stays in control.
    WHERE t.rollout_id = p_rollout AND t.kind = 'write' AND e.exposure < 10000 AND (t.bucket < e.exposure) = (t.arm = 'candidate')
    ORDER BY t.segment, t.subject_digest, t.id
  ), entered AS (
    INSERT INTO arm_subject (rollout_id, segment, subject) SELECT p_rollout, p.segment, p.subject_digest FROM placed p
    ON CONFLICT DO NOTHING RETURNING segment, subject
  ), counted AS (
    INSERT INTO arm_count AS c (rollout_id, segment, generation, round, exposure, arm, subjects)
    SELECT p_rollout, p.segment, p.generation, p.round, p.exposure, p.arm, count(*)
    FROM entered n JOIN placed p ON p.segment = n.segment AND p.subject_digest = n.subject
    GROUP BY p.segment, p.generation, p.round, p.exposure, p.arm
    ON CONFLICT (rollout_id, segment, generation, round, exposure, arm) DO UPDATE SET subjects = c.subjects + excluded.subjects
  )
  SELECT count(*), (array_agg(t.id ORDER BY t.id DESC))[1] INTO v_taken, v_last FROM taken t;
  INSERT INTO arms_read AS r (rollout_id, upto) VALUES (p_rollout, CASE WHEN v_taken < p_most THEN v_to ELSE v_last END)
  ON CONFLICT (rollout_id) DO UPDATE SET upto = greatest(r.upto, excluded.upto);
  RETURN v_taken;
END $$;
---
-- Whom a rollout asked for is looked at no more when it has ended. Returns how many it dropped, p_most at most. Of those that run
-- it reads none.
CREATE FUNCTION drop_arm_subjects(p_most int) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_count int;
BEGIN
  DELETE FROM arm_subject WHERE ctid = ANY (ARRAY(
    SELECT s.place FROM rollout o, LATERAL (
      SELECT x.ctid AS place FROM arm_subject x WHERE x.rollout_id = o.id LIMIT p_most) s
    WHERE o.ended_at IS NOT NULL LIMIT p_most));
  GET DIAGNOSTICS v_count = ROW_COUNT;
  RETURN v_count;
END $$;
