CREATE FUNCTION queue_judgement(p_rollout text, p_segment text, p_since timestamptz) RETURNS void LANGUAGE sql AS $$
  INSERT INTO judge_queue AS q (rollout_id, segment, since) VALUES (p_rollout, p_segment, p_since)
  ON CONFLICT (rollout_id, segment) DO UPDATE SET n = q.n + 1
$$;
---
-- Enters the subject-day of an action for a metric, harmless, once.
CREATE FUNCTION start_event(r action, p_metric text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO subject_day (rollout_id, arm, segment, generation, metric, day, subject_id, started_at)
  VALUES (r.rollout_id, r.arm, r.segment, r.generation, p_metric, r.event_day, r.subject_id, r.asked_at)
  ON CONFLICT DO NOTHING;
  IF FOUND THEN
    INSERT INTO day_count AS c (rollout_id, arm, segment, generation, metric, day, events)
    VALUES (r.rollout_id, r.arm, r.segment, r.generation, p_metric, r.event_day, 1)
    ON CONFLICT (rollout_id, arm, segment, generation, metric, day) DO UPDATE SET events = c.events + 1;
    IF r.arm = 'candidate' THEN
      PERFORM queue_judgement(r.rollout_id, r.segment, r.asked_at);
    END IF;
  END IF;
END $$;
---
-- What came of an action's subject-day: known from now on, and amended upward by harm. Redelivery changes nothing.
CREATE FUNCTION know_event(r action, p_metric text, p_value double precision, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v subject_day;
BEGIN
  SELECT * INTO v FROM subject_day d
  WHERE d.rollout_id = r.rollout_id AND d.arm = r.arm AND d.segment = r.segment AND d.generation = r.generation
    AND d.metric = p_metric AND d.day = r.event_day AND d.subject_id = r.subject_id FOR UPDATE;
  IF NOT FOUND OR (v.known AND v.value >= p_value) THEN RETURN false; END IF;
  UPDATE subject_day d SET value = greatest(v.value, p_value), known = true
  WHERE d.rollout_id = r.rollout_id AND d.arm = r.arm AND d.segment = r.segment AND d.generation = r.generation
    AND d.metric = p_metric AND d.day = r.event_day AND d.subject_id = r.subject_id;
  UPDATE day_count c SET known = known + (NOT v.known)::int, harms = harms + (v.value <= 0 AND p_value > 0)::int
  WHERE c.rollout_id = r.rollout_id AND c.arm = r.arm AND c.segment = r.segment AND c.generation = r.generation
    AND c.metric = p_metric AND c.day = r.event_day;
  IF r.arm = 'candidate' THEN
    PERFORM queue_judgement(r.rollout_id, r.segment, p_at);
  END IF;
  RETURN true;
END $$;
