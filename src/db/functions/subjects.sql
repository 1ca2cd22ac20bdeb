-- Whether an arm may be assigned to a subject that only the agent names. The first p_per_hour new ones of an hour are
-- admitted, and stay so; the others stay in control for the whole rollout, or the agent would try names until one runs
-- unasked. One at a time, so that names sent at once are counted one after the other; however many were too many, no more
-- than p_per_hour are counted.
CREATE FUNCTION admit_subject(p_rollout text, p_subject bigint, p_per_hour int, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_admitted boolean;
BEGIN
  SELECT s.admitted INTO v_admitted FROM rollout_subject s WHERE s.rollout_id = p_rollout AND s.subject_id = p_subject;
  IF FOUND THEN RETURN v_admitted; END IF;
  PERFORM pg_advisory_xact_lock(727010, hashtext(p_rollout));
  INSERT INTO rollout_subject AS s (rollout_id, subject_id, first_at, admitted)
  SELECT p_rollout, p_subject, p_now, count(*) < p_per_hour FROM (
    SELECT FROM rollout_subject r
    WHERE r.rollout_id = p_rollout AND r.first_at > p_now - interval '1 hour' AND r.admitted
    ORDER BY r.first_at DESC LIMIT p_per_hour) lately
  ON CONFLICT DO NOTHING RETURNING s.admitted INTO v_admitted;
  IF NOT FOUND THEN
    SELECT s.admitted INTO v_admitted FROM rollout_subject s WHERE s.rollout_id = p_rollout AND s.subject_id = p_subject;
  ELSIF NOT v_admitted THEN
    INSERT INTO rollout_surplus AS u (rollout_id, subjects) VALUES (p_rollout, 1)
    ON CONFLICT (rollout_id) DO UPDATE SET subjects = u.subjects + 1;
  END IF;
  RETURN v_admitted;
END $$;
