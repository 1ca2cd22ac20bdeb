-- Rows that only move to another partition are no news.
CREATE FUNCTION only_moved() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(current_setting('portcullis.moving', true), '') = 'yes'
$$;
---
-- Whether a write that begins has a recorded allow, or the recorded approvals of its quorum.
CREATE FUNCTION is_confirmed(a action) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(CASE a.decided_by
    WHEN 'policy' THEN a.decided_at IS NOT NULL AND a.grant_name IS NOT NULL
    ELSE (SELECT count(*) FROM decision d
        WHERE d.action_id = coalesce((SELECT s.action_id FROM standing_approval s WHERE s.id = a.standing_id), a.id)
          AND d.round = coalesce((SELECT s.round FROM standing_approval s WHERE s.id = a.standing_id), a.round)
          AND d.verdict = 'approve' AND d.slot IS NOT NULL)
      >= CASE WHEN a.break_glass THEN 1 ELSE (SELECT sum((need ->> 'quorum')::int)
        FROM jsonb_array_elements(a.approval -> 'stages') AS stage (needs), jsonb_array_elements(needs) AS one (need)) END
  END, false)
$$;
---
-- From when on evidence counts in a slice: the last time people took back what it carried, or an incident happened there.
CREATE FUNCTION earning_since(p_agent text, p_release text, p_grant text, p_tool text, p_segment text, p_build text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT greatest('epoch'::timestamptz,
    (SELECT u.evidence_from FROM autonomy u WHERE u.agent = p_agent AND u.release = p_release AND u.grant_name = p_grant
      AND u.tool = p_tool AND u.segment = p_segment AND u.agent_version = p_build),
    (SELECT max(i.opened_at) FROM incident i WHERE i.agent = p_agent AND i.segment IS NULL AND i.restarts_evidence),
    (SELECT max(i.opened_at) FROM incident i WHERE i.agent = p_agent AND i.segment = p_segment AND i.restarts_evidence))
$$;
---
-- What a write counts for what its grant earns, as it is now. Not counted: what nobody decided or edited, what ran under a
-- standing approval or broken glass. A right one counts apart: when it was done says from when on it is old enough.
CREATE FUNCTION earned_of(a action, p_sign int)
RETURNS TABLE (done_by timestamptz, decided int, good int, bad int) LANGUAGE sql IMMUTABLE AS $$
  SELECT x.done_by, x.decided * p_sign, x.good * p_sign, x.bad * p_sign FROM (
    SELECT 'epoch'::timestamptz AS done_by, (a.decided_by IS NOT DISTINCT FROM 'person')::int AS decided, 0 AS good,
      ((a.decided_by IS NOT DISTINCT FROM 'person' AND a.state = 'denied') OR a.round > 0 OR a.corrected_at IS NOT NULL)::int AS bad
    UNION ALL
    SELECT a.completed_at, 0, 1, 0
    WHERE a.state = 'executed' AND a.round = 0 AND a.corrected_at IS NULL AND a.completed_at IS NOT NULL) x
  WHERE a.kind = 'write' AND a.grant_name IS NOT NULL AND a.segment IS NOT NULL AND a.standing_id IS NULL AND NOT a.break_glass
    AND (a.decided_by IS NOT DISTINCT FROM 'person' OR a.earned OR a.round > 0)
$$;
---
-- The subject-day of a baseline that a write of the release in force is part of, as it is now: one that began, or where people's
-- answers count a proposal, whoever decided it; and those that ran unasked.
CREATE FUNCTION volume_of(a action, p_sign int)
RETURNS TABLE (day int, begun int, unasked int, proposed int) LANGUAGE sql STABLE AS $$
  SELECT x.day, x.begun::int * p_sign, (x.begun AND a.decided_by IS NOT DISTINCT FROM 'policy')::int * p_sign,
    (NOT x.begun)::int * p_sign
  FROM (SELECT a.began_at IS NOT NULL AND a.state <> 'failed' AS begun,
    CASE WHEN a.began_at IS NOT NULL AND a.state <> 'failed' THEN event_day(a.rollout_id, a.began_at)
      WHEN a.decided_by IS DISTINCT FROM 'policy' AND a.state IN ('pending', 'approved', 'denied') THEN a.event_day END AS day) x
  WHERE a.kind = 'write' AND a.arm = 'control' AND a.rollout_id IS NOT NULL AND a.segment IS NOT NULL
    AND a.phase = 'baseline' AND x.day IS NOT NULL
$$;
---
CREATE FUNCTION count_reads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO posture_due (agent, segment, actions, kept)
  SELECT r.agent, coalesce(r.segment, 'default'), count(*), count(r.args) FROM added r GROUP BY 1, 2;
  RETURN NULL;
END $$;
---
CREATE TRIGGER reads_are_counted AFTER INSERT ON read_record REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_reads();
---
CREATE FUNCTION count_emptied_reads() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO posture_due (agent, segment, kept)
  SELECT x.agent, coalesce(x.segment, 'default'), sum(x.n) FROM (
    SELECT agent, segment, (args IS NOT NULL)::int AS n FROM now_so
    UNION ALL SELECT agent, segment, -(args IS NOT NULL)::int FROM before) x
  GROUP BY 1, 2 HAVING sum(x.n) <> 0;
  RETURN NULL;
END $$;
---
CREATE TRIGGER emptied_reads_are_counted AFTER UPDATE ON read_record REFERENCING OLD TABLE AS before NEW TABLE AS now_so
  FOR EACH STATEMENT EXECUTE FUNCTION count_emptied_reads();
---
CREATE FUNCTION count_asked() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
  IF only_moved() OR NOT EXISTS (SELECT 1 FROM added) THEN RETURN NULL; END IF;
  INSERT INTO posture_due (agent, segment, actions, begun, confirmed, credentialed, unknown)
  SELECT a.agent, coalesce(a.segment, 'default'), count(*), count(*) FILTER (WHERE b.begun),
    count(*) FILTER (WHERE b.begun AND is_confirmed(ROW(a.*)::action)),
    count(*) FILTER (WHERE b.begun AND EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id)),
    count(*) FILTER (WHERE a.state = 'unknown')
  FROM added a, LATERAL (SELECT a.kind = 'write' AND a.began_at IS NOT NULL AS begun) b GROUP BY 1, 2;
  INSERT INTO earned_due (agent, release, grant_name, tool, segment, build, since, done_by, decided, good, bad)
  SELECT a.agent, a.release, a.grant_name, a.tool, a.segment, a.agent_version, a.earns_from, e.done_by, sum(e.decided),
    sum(e.good), sum(e.bad)
  FROM added a, LATERAL earned_of(ROW(a.*)::action, 1) e GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
  INSERT INTO volume_due (rollout_id, segment, tool, day, subject, begun, unasked, proposed)
  SELECT a.rollout_id, a.segment, a.tool, v.day, a.subject_digest, v.begun, v.unasked, v.proposed
  FROM added a, LATERAL volume_of(ROW(a.*)::action, 1) v;
  INSERT INTO approval_due (at, agent, tool, risk, person, measure, bucket, n, ms)
  SELECT p.at, a.agent, p.tool, p.risk, p.person, p.measure, p.bucket, p.n, p.ms
  FROM added a, LATERAL approval_of(ROW(a.*)::action, 1) p WHERE a.approval IS NOT NULL;
  INSERT INTO business_due (agent, at, segment, arm, release, tool, subject, asked, open, executed, failed, unknown, refused,
    denied, edited, expired, ended, corrected, corrected_unasked, over_blocked, waited, waited_ms, begun, begun_ms)
  SELECT a.agent, a.asked_at, coalesce(a.segment, 'default'), a.arm, coalesce(a.release, ''), a.tool, a.subject_digest, b.*
  FROM added a, LATERAL business_of(ROW(a.*)::action) b WHERE a.kind = 'write';
  RETURN NULL;
END $$;
---
CREATE TRIGGER asked_is_counted AFTER INSERT ON action REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_asked();
---
-- What an action counted before is taken out and what it counts now is put in: the sum is that of the rows, whatever changed.
CREATE FUNCTION count_changed() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_begun int := (NEW.began_at IS NOT NULL)::int - (OLD.began_at IS NOT NULL)::int;
  v_unknown int := (NEW.state = 'unknown')::int - (OLD.state = 'unknown')::int;
BEGIN
  IF v_begun <> 0 OR v_unknown <> 0 THEN
    INSERT INTO posture_due (agent, segment, begun, confirmed, unknown)
    VALUES (NEW.agent, coalesce(NEW.segment, 'default'), v_begun, v_begun * is_confirmed(NEW)::int, v_unknown);
  END IF;
  IF 'person' IN (NEW.decided_by, OLD.decided_by) OR NEW.earned OR OLD.earned OR NEW.round > 0 OR OLD.round > 0 THEN
    INSERT INTO earned_due (agent, release, grant_name, tool, segment, build, since, done_by, decided, good, bad)
    SELECT x.agent, x.release, x.grant_name, x.tool, x.segment, x.build, x.since, x.done_by, sum(x.decided), sum(x.good), sum(x.bad)
    FROM (
      SELECT NEW.agent, NEW.release, NEW.grant_name, NEW.tool, NEW.segment, NEW.agent_version AS build, NEW.earns_from AS since, e.*
      FROM earned_of(NEW, 1) e
      UNION ALL
      SELECT OLD.agent, OLD.release, OLD.grant_name, OLD.tool, OLD.segment, OLD.agent_version, OLD.earns_from, e.*
      FROM earned_of(OLD, -1) e) x
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING sum(x.decided) <> 0 OR sum(x.good) <> 0 OR sum(x.bad) <> 0;
  END IF;
  IF NEW.phase = 'baseline' AND NEW.arm = 'control' THEN
    INSERT INTO volume_due (rollout_id, segment, tool, day, subject, begun, unasked, proposed)
    SELECT NEW.rollout_id, NEW.segment, NEW.tool, x.day, NEW.subject_digest, sum(x.begun), sum(x.unasked), sum(x.proposed)
    FROM (SELECT * FROM volume_of(NEW, 1) UNION ALL SELECT * FROM volume_of(OLD, -1)) x
    GROUP BY x.day HAVING sum(x.begun) <> 0 OR sum(x.unasked) <> 0 OR sum(x.proposed) <> 0;
  END IF;
  PERFORM count_business(NEW, OLD);
  RETURN NULL;
END $$;
---
CREATE TRIGGER change_is_counted AFTER UPDATE ON action
  FOR EACH ROW WHEN (NEW.kind = 'write' AND (NEW.state <> OLD.state OR NEW.decided_by IS DISTINCT FROM OLD.decided_by
    OR NEW.round <> OLD.round OR NEW.corrected_at IS DISTINCT FROM OLD.corrected_at
    OR NEW.completed_at IS DISTINCT FROM OLD.completed_at OR NEW.began_at IS DISTINCT FROM OLD.began_at
    OR NEW.break_glass <> OLD.break_glass OR NEW.standing_id IS DISTINCT FROM OLD.standing_id
    OR NEW.grant_name IS DISTINCT FROM OLD.grant_name))
  EXECUTE FUNCTION count_changed();
---
-- An edit may bring a write under another grant: it earns for that one, if it was asked since that one's evidence began.
CREATE FUNCTION keep_earns_from() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_since timestamptz := earning_since(NEW.agent, NEW.release, NEW.grant_name, NEW.tool, NEW.segment, NEW.agent_version);
BEGIN
  NEW.earns_from := CASE WHEN NEW.asked_at > v_since THEN v_since ELSE 'epoch' END;
  RETURN NEW;
END $$;
---
CREATE TRIGGER asked_earns BEFORE INSERT ON action
  FOR EACH ROW WHEN (NEW.kind = 'write' AND NEW.grant_name IS NOT NULL AND NEW.earns_from IS NULL)
  EXECUTE FUNCTION keep_earns_from();
---
CREATE TRIGGER edited_earns BEFORE UPDATE ON action
  FOR EACH ROW WHEN (NEW.kind = 'write' AND NEW.grant_name IS DISTINCT FROM OLD.grant_name)
  EXECUTE FUNCTION keep_earns_from();
---
-- Each by its key, whatever the statistics say.
CREATE FUNCTION count_kept() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF only_moved() OR NOT EXISTS (SELECT 1 FROM changed) THEN RETURN NULL; END IF;
  INSERT INTO posture_due (agent, segment, kept)
  SELECT a.agent, coalesce(a.segment, 'default'), count(*) * CASE TG_OP WHEN 'DELETE' THEN -1 ELSE 1 END
  FROM changed p JOIN action a ON a.id = p.action_id GROUP BY 1, 2;
  RETURN NULL;
END $$;
---
CREATE TRIGGER kept_is_counted AFTER INSERT ON action_private REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_kept();
---
CREATE TRIGGER erased_is_counted AFTER DELETE ON action_private REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION count_kept();
---
-- The first credential of an action: whoever stores one holds the action. OFFSET 0: found by its key, not in an index of writes.
CREATE FUNCTION count_credentials() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
  IF only_moved() THEN RETURN NULL; END IF;
  INSERT INTO posture_due (agent, segment, credentialed)
  SELECT a.agent, coalesce(a.segment, 'default'), count(*)
  FROM (SELECT action_id, count(*) AS n FROM added GROUP BY 1) c,
    LATERAL (SELECT * FROM action x WHERE x.id = c.action_id OFFSET 0) a
  WHERE a.kind = 'write' AND a.began_at IS NOT NULL
    AND c.n = (SELECT count(*) FROM credential x WHERE x.action_id = c.action_id) GROUP BY 1, 2;
  RETURN NULL;
END $$;
---
CREATE TRIGGER credentials_are_counted AFTER INSERT ON credential REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION count_credentials();
---
CREATE FUNCTION begin_of_quarter(p_at timestamptz, p_day_ms double precision) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT date_bin(make_interval(secs => p_day_ms / 4000), p_at, '2000-01-01 00:00:00+00')
$$;
---
-- What was done in one quarter of a day is old enough together, when the last of it is.
CREATE FUNCTION end_of_quarter(p_at timestamptz, p_day_ms double precision) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN p_at = 'epoch' THEN p_at
    ELSE begin_of_quarter(p_at, p_day_ms) + make_interval(secs => p_day_ms / 4000)
  END
$$;
---
-- Adds up what is due, at most p_most of each, one process at a time: the others wait. Returns how many it took.
CREATE FUNCTION fold_counts(p_most int, p_day_ms double precision) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_taken int;
  v_count int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  WITH taken AS (
    DELETE FROM posture_due
    WHERE id <= (SELECT max(x.id) FROM (SELECT id FROM posture_due ORDER BY id LIMIT p_most) x) RETURNING *
  ), added AS (
    INSERT INTO posture_count AS c (agent, segment, actions, kept, begun, confirmed, credentialed, unknown)
    SELECT agent, segment, sum(actions), sum(kept), sum(begun), sum(confirmed), sum(credentialed), sum(unknown)
    FROM taken GROUP BY 1, 2
    ON CONFLICT (agent, segment) DO UPDATE SET actions = c.actions + excluded.actions, kept = c.kept + excluded.kept,
      begun = c.begun + excluded.begun, confirmed = c.confirmed + excluded.confirmed,
      credentialed = c.credentialed + excluded.credentialed, unknown = c.unknown + excluded.unknown
  )
  SELECT count(*) INTO v_taken FROM taken;
  v_count := v_count + v_taken;
  WITH taken AS (
    DELETE FROM earned_due
    WHERE id <= (SELECT max(x.id) FROM (SELECT id FROM earned_due ORDER BY id LIMIT p_most) x) RETURNING *
  ), added AS (
    INSERT INTO earned_count AS c (agent, release, grant_name, tool, segment, build, since, done_by, decided, good, bad)
    SELECT agent, release, grant_name, tool, segment, build, since,
      end_of_quarter(done_by, p_day_ms), sum(decided), sum(good), sum(bad)
    FROM taken GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (agent, release, grant_name, tool, segment, build, since, done_by)
    DO UPDATE SET decided = c.decided + excluded.decided, good = c.good + excluded.good, bad = c.bad + excluded.bad
  )
  SELECT count(*) INTO v_taken FROM taken;
  RETURN v_count + v_taken + fold_volumes(p_most) + fold_approvals(p_most, p_day_ms)
    + fold_business(p_most, p_day_ms);
END $$;
---
-- A subject-day counts once, however much was done on it. The caller is alone. No loop in a loop: whatever is guessed of a
-- batch, each of its rows is looked for by its hash.
CREATE FUNCTION fold_volumes(p_most int) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off SET enable_nestloop = off AS $$
DECLARE
  v_taken int;
BEGIN
  WITH taken AS (
    DELETE FROM volume_due
    WHERE id <= (SELECT max(x.id) FROM (SELECT id FROM volume_due ORDER BY id LIMIT p_most) x) RETURNING *
  ), more AS (
    SELECT v.rollout_id, v.segment, t.tool, v.day, v.subject, sum(v.begun)::int AS begun, sum(v.unasked)::int AS unasked,
      sum(v.proposed)::int AS proposed
    FROM taken v, LATERAL (VALUES (v.tool), ('')) AS t (tool) GROUP BY 1, 2, 3, 4, 5
  ), days AS (
    INSERT INTO volume_day AS d (rollout_id, segment, tool, day, subject, begun, unasked, proposed) SELECT * FROM more
    ON CONFLICT (rollout_id, segment, tool, day, subject) DO UPDATE SET begun = d.begun + excluded.begun,
      unasked = d.unasked + excluded.unasked, proposed = d.proposed + excluded.proposed
    RETURNING *
  ), turned AS (
    SELECT d.rollout_id, d.segment, d.tool, (d.begun > 0)::int - (d.begun - m.begun > 0)::int AS begun,
      (d.unasked > 0)::int - (d.unasked - m.unasked > 0)::int AS unasked,
      (d.begun + d.proposed > 0)::int - (d.begun + d.proposed - m.begun - m.proposed > 0)::int AS either
    FROM days d JOIN more m USING (rollout_id, segment, tool, day, subject)
  ), counted AS (
    INSERT INTO volume_count AS c (rollout_id, segment, tool, begun, unasked, either)
    SELECT rollout_id, segment, tool, sum(begun), sum(unasked), sum(either) FROM turned GROUP BY 1, 2, 3
    ON CONFLICT (rollout_id, segment, tool) DO UPDATE SET begun = c.begun + excluded.begun,
      unasked = c.unasked + excluded.unasked, either = c.either + excluded.either
  )
  SELECT count(*) INTO v_taken FROM taken;
  RETURN v_taken;
END $$;
