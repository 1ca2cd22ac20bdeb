CREATE FUNCTION queue_judgement(p_rollout text, p_segment text, p_since timestamptz) RETURNS void LANGUAGE sql AS $$
  INSERT INTO judge_queue AS q (rollout_id, segment, since) VALUES (p_rollout, p_segment, p_since)
  ON CONFLICT (rollout_id, segment) DO UPDATE SET n = q.n + 1
$$;
---
-- The start-day bucket of a moment: whole days since the rollout started, 0 on the first.
CREATE FUNCTION event_day(p_rollout text, p_at timestamptz) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT greatest(0, floor(extract(epoch FROM p_at - o.started_at) * 1000
    / coalesce((o.plan ->> 'dayMs')::numeric, 86400000)))::int
  FROM rollout o WHERE o.id = p_rollout
$$;
---
-- Whether a subject-day has this action to show: a write that began and did not fail, or a proposal that waits for people
-- or was approved by them and may yet begin. What people said against it counts by its value instead.
CREATE FUNCTION bears_evidence(a action, p_from text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT a.state IN ('executing', 'executed', 'unknown') OR (p_from = 'asked' AND a.state IN ('pending', 'approved'))
$$;
---
-- Says what came of an action, 0 for no harm. Counted by whoever counts the evidence, never here: the counts are the same
-- row for many, and whoever begins or stops a write must not wait for it.
CREATE FUNCTION know_event(p_action uuid, p_metric text, p_value double precision, p_at timestamptz)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO evidence_due (action_id, metric, value, at) VALUES (p_action, p_metric, p_value, p_at)
$$;
---
-- Counts what is due, at most p_most: one at a time, in the caller's transaction. Returns how many it took.
CREATE FUNCTION count_evidence(p_most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  d evidence_due;
  a action;
  m record;
  v_count int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(727009);
  FOR d IN DELETE FROM evidence_due WHERE id IN (SELECT id FROM evidence_due ORDER BY id LIMIT p_most) RETURNING * LOOP
    v_count := v_count + 1;
    SELECT * INTO a FROM action x WHERE x.id = d.action_id;
    FOR m IN SELECT key, value FROM jsonb_each_text(a.counts) WHERE d.metric IS NULL OR key = d.metric LOOP
      PERFORM count_event(a, m.key, m.value, d);
    END LOOP;
  END LOOP;
  RETURN v_count;
END $$;
---
-- Brings one subject-day of one build up to date, from the actions as they are now: the order in which things become due is no matter.
-- It is in while an action bears it, or harm is known of one that was proposed or begun; else out, and nothing is known.
CREATE FUNCTION count_event(a action, p_metric text, p_from text, d evidence_due) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  v_day int := CASE WHEN p_from = 'asked' THEN a.event_day ELSE a.begun_day END;
  v subject_day;
  w subject_day;
  v_bears boolean;
  v_touched boolean;
BEGIN
  IF v_day IS NULL THEN RETURN; END IF;
  -- Arm and segment with nothing added: without statistics the index of whole rollouts looks as good as that of the subject-day.
  IF p_from = 'asked' THEN
    SELECT coalesce(bool_or(bears_evidence(x, p_from)), false), count(*) > 0 INTO v_bears, v_touched FROM action x
    WHERE x.subject_digest = a.subject_digest AND x.rollout_id = a.rollout_id AND x.arm || '' = a.arm AND x.segment || '' = a.segment
      AND x.generation = a.generation AND x.counts ->> p_metric = p_from AND x.event_day = v_day AND x.counts <> '{}'
      AND x.agent_version = a.agent_version;
  ELSE
    SELECT coalesce(bool_or(bears_evidence(x, p_from)), false), coalesce(bool_or(x.began_at IS NOT NULL), false)
    INTO v_bears, v_touched FROM action x
    WHERE x.subject_digest = a.subject_digest AND x.rollout_id = a.rollout_id AND x.arm || '' = a.arm AND x.segment || '' = a.segment
      AND x.generation = a.generation AND x.counts ->> p_metric = p_from AND x.begun_day = v_day AND x.begun_day IS NOT NULL
      AND x.counts <> '{}' AND x.agent_version = a.agent_version;
  END IF;
  SELECT * INTO v FROM subject_day s
  WHERE s.rollout_id = a.rollout_id AND s.arm = a.arm AND s.segment = a.segment AND s.generation = a.generation
    AND s.metric = p_metric AND s.day = v_day AND s.subject = a.subject_digest AND s.build = a.agent_version;
  IF NOT FOUND THEN
    v := ROW(a.rollout_id, a.arm, a.segment, a.generation, p_metric, v_day, 0, false, false, a.subject_digest, a.agent_version);
  END IF;
  w := v;
  w.value := greatest(v.value, coalesce(d.value, 0));
  w.counted := v_bears OR (w.value > 0 AND v_touched);
  w.known := w.counted AND (v.known OR d.metric IS NOT NULL);
  IF w IS NOT DISTINCT FROM v THEN RETURN; END IF;
  INSERT INTO subject_day SELECT w.* ON CONFLICT (rollout_id, arm, segment, generation, metric, day, build, subject)
  DO UPDATE SET value = w.value, known = w.known, counted = w.counted;
  -- What was never in leaves no day behind; what was in keeps its day, empty as it may be (STATISTICS 4.2).
  IF NOT (v.counted OR w.counted) THEN RETURN; END IF;
  INSERT INTO day_count AS c (rollout_id, arm, segment, generation, metric, day, build, events, harms, known)
  VALUES (w.rollout_id, w.arm, w.segment, w.generation, w.metric, w.day, w.build, w.counted::int - v.counted::int,
    (w.counted AND w.value > 0)::int - (v.counted AND v.value > 0)::int, w.known::int - v.known::int)
  ON CONFLICT (rollout_id, arm, segment, generation, metric, day, build)
  DO UPDATE SET events = c.events + excluded.events, harms = c.harms + excluded.harms, known = c.known + excluded.known;
  IF a.arm = 'candidate' THEN
    PERFORM queue_judgement(a.rollout_id, a.segment, d.at);
  END IF;
END $$;
---
-- Keeps how far a segment is exposed, and since when, whoever changes it.
CREATE FUNCTION keep_exposure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE exposure SET until_at = NEW.changed_at
  WHERE rollout_id = NEW.rollout_id AND segment = NEW.segment AND until_at IS NULL;
  IF NEW.exposure > 0 THEN
    INSERT INTO exposure (rollout_id, segment, generation, exposure, from_at)
    VALUES (NEW.rollout_id, NEW.segment, NEW.generation, NEW.exposure, NEW.changed_at);
  END IF;
  RETURN NULL;
END $$;
---
CREATE TRIGGER exposure_is_kept AFTER UPDATE ON rollout_segment
  FOR EACH ROW WHEN (NEW.exposure <> OLD.exposure OR NEW.generation <> OLD.generation)
  EXECUTE FUNCTION keep_exposure();
---
-- Subject-days of the baseline on which a write of a tool (of any, where null) began, or was proposed where people's answers
-- count, whoever decided it; and those that ran unasked.
CREATE FUNCTION baseline_volume(p_rollout text, p_tool text, p_proposals boolean)
RETURNS TABLE (segment text, writes int, unasked int) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  WHILE fold_volumes(2000) > 0 LOOP END LOOP;
  RETURN QUERY SELECT v.segment, w.days, v.unasked
  FROM volume_count v, LATERAL (SELECT CASE WHEN p_proposals THEN v.either ELSE v.begun END AS days) w
  WHERE v.rollout_id = p_rollout AND v.tool = coalesce(p_tool, '') AND w.days > 0;
END $$;
