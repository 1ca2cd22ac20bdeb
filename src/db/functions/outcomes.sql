-- Records a batch of outcomes of one agent, each with what it says of its action and its log entry, at once: one row each, in
-- order. 'unknown': there is no such action of the agent; 'conflict': the id stands for another fact. Then nothing may be
-- committed. p_outcomes: id, action, metric, value, per, weight (what counts), handed (whether
-- harm means that a person took over), entry (its body in the log).
CREATE FUNCTION record_outcomes(p_agent text, p_outcomes jsonb, p_now timestamptz, p_actor text)
RETURNS TABLE (n int, status text) LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_unknown int[];
  v_new int[];
BEGIN
  WITH said AS MATERIALIZED (
    SELECT e.ordinality::int AS n, o.* FROM jsonb_array_elements(p_outcomes) WITH ORDINALITY e,
      jsonb_to_record(e.value) AS o (id text, action uuid, metric text, value double precision, per double precision,
        weight double precision, handed boolean, entry text)
  ), known AS MATERIALIZED (
    SELECT s.*, a.counts, a.asked_at, coalesce(a.segment, 'default') AS segment, a.arm, coalesce(a.release, '') AS release,
      a.subject_digest AS subject FROM said s
      -- OFFSET 0: found by its key, whatever the statistics say.
      LEFT JOIN LATERAL (SELECT x.counts, x.asked_at, x.segment, x.arm, x.release, x.subject_digest FROM any_action x
        WHERE x.id = s.action AND x.agent = p_agent OFFSET 0) a ON true
  ), recorded AS (
    -- In the order of the ids, so that two that report the same ones do not wait for each other.
    INSERT INTO outcome (agent, id, action_id, metric, value, per, reported_by, received_at)
    SELECT p_agent, k.id, k.action, k.metric, k.value, k.per, p_actor, p_now FROM known k
    WHERE k.counts IS NOT NULL ORDER BY k.id, k.n ON CONFLICT DO NOTHING RETURNING id
  ), new AS MATERIALIZED (
    SELECT DISTINCT ON (k.id) k.* FROM known k JOIN recorded r ON r.id = k.id ORDER BY k.id, k.n
  ), due AS (
    INSERT INTO evidence_due (action_id, metric, value, at)
    SELECT new.action, new.metric, new.weight, p_now FROM new WHERE new.counts ? new.metric ORDER BY new.n
  ), totalled AS (
    INSERT INTO business_metric_due (agent, at, segment, arm, release, metric, n, harms, total)
    SELECT p_agent, new.asked_at, new.segment, new.arm, new.release, new.metric, 1, (new.weight > 0)::int, new.weight
    FROM new ORDER BY new.n
  ), handed AS (
    INSERT INTO business_due (agent, at, segment, arm, release, tool, subject, handed)
    SELECT p_agent, new.asked_at, new.segment, new.arm, new.release, '', new.subject, 1
    FROM new WHERE new.handed AND new.weight > 0 ORDER BY new.n
  ), logged AS (
    INSERT INTO log_unnumbered (at, kind, agent, ref, body)
    SELECT p_now, 'outcome.recorded', p_agent, new.action::text, new.entry FROM new ORDER BY new.n
  )
  SELECT (SELECT coalesce(array_agg(k.n), '{}') FROM known k WHERE k.counts IS NULL),
    (SELECT coalesce(array_agg(new.n), '{}') FROM new)
  INTO v_unknown, v_new;
  -- A statement of its own: it sees what was recorded under these ids, whoever did.
  RETURN QUERY SELECT e.ordinality::int, CASE
      WHEN e.ordinality = ANY (v_new) THEN 'recorded'
      WHEN e.ordinality = ANY (v_unknown) THEN 'unknown'
      WHEN x.id IS NOT NULL THEN 'repeated' ELSE 'conflict' END
    FROM jsonb_array_elements(p_outcomes) WITH ORDINALITY e LEFT JOIN LATERAL (
      SELECT o.id FROM outcome o WHERE e.ordinality <> ALL (v_new) AND o.agent = p_agent AND o.id = e.value ->> 'id'
        AND o.metric = e.value ->> 'metric' AND o.value = (e.value ->> 'value')::double precision
        AND o.per IS NOT DISTINCT FROM (e.value ->> 'per')::double precision AND o.action_id = (e.value ->> 'action')::uuid
      OFFSET 0) x ON true
    ORDER BY e.ordinality;
END $$;
