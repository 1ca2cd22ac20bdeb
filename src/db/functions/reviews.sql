-- A cycle of a rollout ends: its review is owed from now on. Rollbacks of one rollout come together in the review that nobody
-- has written yet.
CREATE FUNCTION open_cycle_review(p_rollout text, p_ending text, p_segment text, p_because text, p_now timestamptz,
  p_actor text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  v_id text;
BEGIN
  IF p_ending = 'rolled_back' THEN
    UPDATE cycle_review c SET facts = NULL, facts_at = NULL, segments = CASE WHEN p_segment IS NULL OR c.segments ? p_segment
      THEN c.segments ELSE c.segments || to_jsonb(p_segment) END
    WHERE c.id = (SELECT x.id FROM cycle_review x JOIN rollout o ON o.id = x.rollout_id
        WHERE x.agent = o.agent AND x.rollout_id = p_rollout AND x.ending = 'rolled_back' AND x.state = 'due'
        ORDER BY x.opened_at DESC LIMIT 1)
    RETURNING c.id INTO v_id;
    IF v_id IS NOT NULL THEN
      RETURN v_id;
    END IF;
  END IF;
  v_id := 'rev-' || left(replace(gen_random_uuid()::text, '-', ''), 10);
  INSERT INTO cycle_review (id, agent, rollout_id, release, ending, segments, because, opened_at)
  SELECT v_id, o.agent, o.id, o.release, p_ending,
    CASE WHEN p_segment IS NULL THEN '[]' ELSE jsonb_build_array(p_segment) END, p_because, p_now
  FROM rollout o WHERE o.id = p_rollout;
  PERFORM log_append('review.opened', o.agent, v_id, p_now, p_actor, jsonb_strip_nulls(jsonb_build_object('rollout', o.id,
    'ending', p_ending, 'segment', p_segment))) FROM rollout o WHERE o.id = p_rollout;
  RETURN v_id;
END $$;
