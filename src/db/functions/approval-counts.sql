-- A time falls into a bucket that is 2 % wide: the middle of it is at most 1 % off. src/domain/histogram.ts reads them.
CREATE FUNCTION wait_bucket(p_ms bigint) RETURNS int LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_ms < 1 THEN 0 ELSE 1 + floor(ln(p_ms::float8) / ln(1.02::float8))::int END
$$;
---
CREATE FUNCTION wait_ms(p_from timestamptz, p_to timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT round(extract(epoch FROM p_to - p_from) * 1000)::bigint
$$;
---
-- What an action counts for the statistics of approvals, as it is now. `asked`, and how that ended, is of what people were
-- asked one by one: what a standing approval covers is not. `wrong` is what was stopped and called right afterwards.
CREATE FUNCTION approval_of(a action, p_sign int)
RETURNS TABLE (at timestamptz, tool text, risk text, person text, measure text, bucket int, n int, ms bigint)
LANGUAGE sql STABLE AS $$
  SELECT x.at, CASE WHEN x.by_tool THEN a.tool ELSE '' END, CASE WHEN x.by_tool THEN a.risk ELSE '' END, x.person, x.measure,
    CASE WHEN x.ms IS NULL THEN -1 ELSE wait_bucket(x.ms) END, p_sign, p_sign * coalesce(x.ms, 0)
  FROM (
    SELECT a.asked_at AS at, true AS by_tool, '' AS person, m.measure, m.ms
    FROM (VALUES ('asked', true, NULL::bigint),
      ('approved', a.decided_at IS NOT NULL AND a.state <> 'denied', NULL),
      ('denied', a.state = 'denied', NULL),
      ('expired', a.state = 'expired' AND a.decided_at IS NULL, NULL),
      ('unanswered', a.state = 'expired' AND a.decided_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.action_id = a.id), NULL),
      ('stopped', a.state IN ('withdrawn', 'superseded', 'disabled') AND a.decided_at IS NULL, NULL),
      ('waiting', a.state = 'pending', NULL),
      ('edited', a.round > 0, NULL),
      ('decided', a.decided_at IS NOT NULL, wait_ms(a.asked_at, a.decided_at))) AS m (measure, counts, ms)
    WHERE a.approval IS NOT NULL AND a.standing_id IS NULL AND m.counts
    UNION ALL
    SELECT a.asked_at, false, '', m.measure, m.ms
    FROM (VALUES ('right', a.state = 'executed' AND a.corrected_at IS NULL, wait_ms(a.asked_at, a.decided_at)),
      ('ended:' || a.state, a.state IN ('expired', 'withdrawn', 'superseded', 'disabled') AND a.decided_at IS NULL,
        wait_ms(a.asked_at, CASE a.state WHEN 'expired' THEN a.expires_at ELSE a.ended_at END)),
      ('ended-after:' || a.state, a.state IN ('expired', 'withdrawn', 'superseded', 'disabled') AND a.decided_at IS NOT NULL,
        NULL)) AS m (measure, counts, ms)
    WHERE a.kind = 'write' AND a.approval IS NOT NULL AND a.standing_id IS NULL AND m.counts
    UNION ALL
    SELECT a.corrected_at, false, '', 'wrong:' || CASE WHEN a.state = 'expired' THEN 'expired' ELSE coalesce(a.decided_by, '') END,
      wait_ms(a.asked_at, coalesce(a.decided_at, a.expires_at))
    WHERE a.kind = 'write' AND a.state IN ('denied', 'expired') AND a.corrected_at IS NOT NULL
    UNION ALL
    SELECT a.asked_at, false, '', m.measure, NULL
    FROM (VALUES ('broken', a.break_glass), ('reviewed', a.break_glass AND a.reviewed_at IS NOT NULL),
      ('unjustified', a.break_glass AND a.review ->> 'justified' = 'false'), ('used', a.standing_id IS NOT NULL))
      AS m (measure, counts)
    WHERE a.approval IS NOT NULL AND m.counts
    UNION ALL
    SELECT a.asked_at, false, p.person, 'reached', NULL
    FROM jsonb_array_elements_text(a.reach -> 'people') AS p (person) WHERE a.approval IS NOT NULL) x
$$;
---
-- An answer, by person: how long after it was shown, and whether faster than anybody reads (under three seconds).
CREATE FUNCTION answer_of(d decision) RETURNS TABLE (measure text, bucket int, ms bigint) LANGUAGE sql IMMUTABLE AS $$
  SELECT m.measure, CASE WHEN m.timed AND x.ms IS NOT NULL THEN wait_bucket(x.ms) ELSE -1 END,
    CASE WHEN m.timed THEN coalesce(x.ms, 0) ELSE 0 END
  FROM (SELECT wait_ms(d.shown_at, greatest(d.at, d.shown_at)) AS ms) x,
    LATERAL (VALUES ('answer:' || d.verdict, true, true), ('deputy', false, d.deputy_id IS NOT NULL),
      ('hasty', false, d.verdict = 'approve' AND x.ms < 3000)) AS m (measure, timed, counts)
  WHERE m.counts
$$;
---
CREATE FUNCTION count_approval() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  INSERT INTO approval_due (at, agent, tool, risk, person, measure, bucket, n, ms)
  SELECT x.at, NEW.agent, x.tool, x.risk, x.person, x.measure, x.bucket, sum(x.n), sum(x.ms)
  FROM (SELECT * FROM approval_of(NEW, 1) UNION ALL SELECT * FROM approval_of(OLD, -1)) x
  GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(x.n) <> 0;
  -- Who had answered without being reached counts as reached already.
  INSERT INTO approval_due (at, agent, tool, risk, person, measure, bucket, n, ms)
  SELECT d.at, NEW.agent, '', '', p.person, 'reached', -1, -1, 0
  FROM jsonb_array_elements_text(NEW.reach -> 'people') AS p (person),
    LATERAL (SELECT d.at FROM decision d WHERE d.action_id = NEW.id AND d.person = p.person ORDER BY d.at LIMIT 1) d
  WHERE NEW.approval IS NOT NULL AND NEW.reach IS DISTINCT FROM OLD.reach AND NOT coalesce(OLD.reach -> 'people' ? p.person, false);
  RETURN NULL;
END $$;
---
CREATE TRIGGER approval_is_counted AFTER UPDATE ON action
  FOR EACH ROW WHEN ((NEW.approval IS NOT NULL OR NEW.corrected_at IS NOT NULL)
    AND ((NEW.state <> OLD.state AND NEW.state <> 'executing') OR NEW.decided_at IS DISTINCT FROM OLD.decided_at OR NEW.round <> OLD.round
    OR NEW.corrected_at IS DISTINCT FROM OLD.corrected_at OR NEW.reviewed_at IS DISTINCT FROM OLD.reviewed_at
    OR NEW.break_glass <> OLD.break_glass OR NEW.standing_id IS DISTINCT FROM OLD.standing_id
    OR NEW.approval IS NULL <> (OLD.approval IS NULL) OR NEW.reach IS DISTINCT FROM OLD.reach OR NEW.risk <> OLD.risk
    OR NEW.expires_at IS DISTINCT FROM OLD.expires_at))
  EXECUTE FUNCTION count_approval();
---
CREATE FUNCTION count_answers() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF only_moved() THEN RETURN NULL; END IF;
  INSERT INTO approval_due (at, agent, tool, risk, person, measure, bucket, n, ms)
  SELECT d.at, a.agent, '', '', d.person, x.measure, x.bucket, 1, x.ms
  FROM added d, LATERAL (SELECT x.agent FROM action x WHERE x.id = d.action_id OFFSET 0) a,
    LATERAL (SELECT * FROM answer_of(ROW(d.*)::decision) OFFSET 0) x
  UNION ALL
  SELECT d.at, a.agent, '', '', d.person, 'reached', -1, 1, 0
  FROM added d, LATERAL (SELECT x.* FROM action x WHERE x.id = d.action_id OFFSET 0) a
  WHERE a.approval IS NOT NULL AND NOT coalesce(a.reach -> 'people' ? d.person, false)
    AND (SELECT count(*) FROM decision o WHERE o.action_id = d.action_id AND o.person = d.person) = 1;
  INSERT INTO business_due (agent, at, segment, arm, release, tool, subject, answers, answers_ms, untimed)
  SELECT a.agent, a.asked_at, coalesce(a.segment, 'default'), a.arm, coalesce(a.release, ''), a.tool, a.subject_digest, 1,
    coalesce(answer_ms(ROW(d.*)::decision), 0), (d.shown_at IS NULL)::int
  FROM added d, LATERAL (SELECT * FROM action x WHERE x.id = d.action_id AND x.kind = 'write' OFFSET 0) a;
  RETURN NULL;
END $$;
---
CREATE TRIGGER answers_are_counted AFTER INSERT ON decision REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_answers();
---
CREATE FUNCTION count_edits() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF only_moved() THEN RETURN NULL; END IF;
  INSERT INTO approval_due (at, agent, tool, risk, person, measure, bucket, n, ms)
  SELECT e.at, a.agent, '', '', e.editor, 'edit', -1, 1, 0
  FROM added e, LATERAL (SELECT x.agent FROM action x WHERE x.id = e.action_id OFFSET 0) a;
  RETURN NULL;
END $$;
---
CREATE TRIGGER edits_are_counted AFTER INSERT ON action_edit REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_edits();
---
-- The caller is alone.
CREATE FUNCTION fold_approvals(p_most int, p_day_ms double precision) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_taken int;
BEGIN
  WITH taken AS (
    DELETE FROM approval_due
    WHERE id <= (SELECT max(x.id) FROM (SELECT id FROM approval_due ORDER BY id LIMIT p_most) x) RETURNING *
  ), added AS (
    INSERT INTO approval_count AS c (agent, period, tool, risk, person, measure, bucket, n, ms)
    SELECT agent, begin_of_quarter(at, p_day_ms), tool, risk, person, measure, bucket, sum(n), sum(ms)
    FROM taken GROUP BY 1, 2, 3, 4, 5, 6, 7
    ON CONFLICT (agent, period, tool, risk, person, measure, bucket) DO UPDATE SET n = c.n + excluded.n, ms = c.ms + excluded.ms
  )
  SELECT count(*) INTO v_taken FROM taken;
  RETURN v_taken;
END $$;
---
CREATE FUNCTION recount_approvals() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_day_ms double precision := coalesce((SELECT i.day_ms FROM installation i), 86400000);
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  DELETE FROM approval_count;
  WITH known AS (DELETE FROM approval_due)
  INSERT INTO approval_count (agent, period, tool, risk, person, measure, bucket, n, ms)
  SELECT x.agent, begin_of_quarter(x.at, v_day_ms), x.tool, x.risk, x.person, x.measure, x.bucket, sum(x.n), sum(x.ms)
  FROM (
    -- OFFSET 0: Postgres cannot plan a function of a row of partitions once it is inlined.
    SELECT a.agent, f.* FROM action a, LATERAL (SELECT * FROM approval_of(a, 1) OFFSET 0) f
    UNION ALL
    SELECT a.agent, d.at, '', '', d.person, f.measure, f.bucket, 1, f.ms
    FROM decision d JOIN action a ON a.id = d.action_id, LATERAL (SELECT * FROM answer_of(d) OFFSET 0) f
    UNION ALL
    SELECT a.agent, min(d.at), '', '', d.person, 'reached', -1, 1, 0
    FROM decision d JOIN action a ON a.id = d.action_id
    WHERE a.approval IS NOT NULL AND NOT coalesce(a.reach -> 'people' ? d.person, false) GROUP BY a.agent, d.action_id, d.person
    UNION ALL
    SELECT a.agent, e.at, '', '', e.editor, 'edit', -1, 1, 0 FROM action_edit e JOIN action a ON a.id = e.action_id
  ) x GROUP BY 1, 2, 3, 4, 5, 6, 7;
END $$;
---
-- What was counted of some agents since the begin of a quarter of a day, with what is not added up yet. By the index whatever
-- the statistics say: a table that is young, or has few agents, would be read whole.
CREATE FUNCTION approval_counts(p_agents text[], p_since timestamptz)
RETURNS TABLE (agent text, tool text, risk text, person text, measure text, bucket int, n float8, ms float8)
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
  SELECT agent, tool, risk, person, measure, nullif(bucket, -1), sum(n)::float8, sum(ms)::float8
  FROM (
    SELECT agent, tool, risk, person, measure, bucket, n, ms FROM approval_count
    WHERE agent = ANY (p_agents) AND period >= p_since
    UNION ALL
    SELECT agent, tool, risk, person, measure, bucket, n, ms FROM approval_due
    WHERE agent = ANY (p_agents) AND at >= p_since
  ) x GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(n) <> 0
$$;
