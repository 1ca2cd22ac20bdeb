-- Makes what is compared of the days before p_before stand: what was committed until now is counted first, and what is counted
-- later is no part of it, whoever reads it. Whoever counts is alone (count_evidence).
CREATE FUNCTION stand_before(p_rollout text, p_metric text, p_before int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM ripe_day r WHERE r.rollout_id = p_rollout AND r.metric = p_metric AND r.before >= p_before) THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(727009);
  WHILE count_evidence(500) = 500 LOOP END LOOP;
  INSERT INTO ripe_day AS r (rollout_id, metric, before) VALUES (p_rollout, p_metric, p_before)
  ON CONFLICT (rollout_id, metric) DO UPDATE SET before = greatest(r.before, excluded.before);
END $$;
