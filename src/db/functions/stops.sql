-- Voids what waits (pending or approved) in a slice of actions; null means any. Returns how many.
CREATE FUNCTION void_actions(p_agent text, p_tool text, p_rollout text, p_segment text, p_arm text, p_kinds text[],
  p_to text, p_because text, p_now timestamptz, p_actor text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  r action;
  v_count int := 0;
BEGIN
  FOR r IN SELECT * FROM action x WHERE x.state IN ('pending', 'approved') AND x.kind = ANY (p_kinds)
      AND NOT (x.kind = 'read' AND x.state = 'approved')
      AND (p_agent IS NULL OR x.agent = p_agent) AND (p_tool IS NULL OR x.tool = p_tool)
      AND (p_rollout IS NULL OR x.rollout_id = p_rollout) AND (p_segment IS NULL OR x.segment = p_segment)
      AND (p_arm IS NULL OR x.arm = p_arm) ORDER BY x.id FOR UPDATE
  LOOP
    IF move_action(r.id, r.state, r.revision, p_to, 'action.' || p_to, p_now, p_actor,
        jsonb_build_object('because', p_because)) THEN
      v_count := v_count + 1;
    END IF;
  END LOOP;
  RETURN v_count;
END $$;
---
CREATE FUNCTION actions_in_flight(p_agent text, p_tool text, p_rollout text, p_segment text)
RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object('action', x.id, 'agent', x.agent, 'tool', x.tool, 'summary', x.summary,
    'begunAt', iso(x.began_at)) ORDER BY x.began_at), '[]')
  FROM action x WHERE x.state = 'executing'
    AND (p_agent IS NULL OR x.agent = p_agent) AND (p_tool IS NULL OR x.tool = p_tool)
    AND (p_rollout IS NULL OR (x.rollout_id = p_rollout AND x.arm = 'candidate'))
    AND (p_segment IS NULL OR x.segment = p_segment)
$$;
---
-- For the log, which is never edited: what an action would do holds values of its arguments, and they may be erased.
CREATE FUNCTION without_summaries(p_in_flight jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(e - 'summary' ORDER BY n), '[]') FROM jsonb_array_elements(p_in_flight) WITH ORDINALITY AS x (e, n)
$$;
---
CREATE FUNCTION credentials_until(p_in_flight jsonb) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT max(c.expires_at) FROM credential c WHERE c.revoked_at IS NULL
    AND c.action_id IN (SELECT (e ->> 'action')::uuid FROM jsonb_array_elements(p_in_flight) e)
$$;
---
CREATE FUNCTION raise_alert(p_kind text, p_agent text, p_now timestamptz, p_facts jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  v_id text := p_kind || '-' || gen_random_uuid();
BEGIN
  INSERT INTO alert (id, agent, kind, facts, created_at) VALUES (v_id, p_agent, p_kind, p_facts, p_now);
  INSERT INTO outbox (topic, key) VALUES ('alert', v_id);
  RETURN v_id;
END $$;
---
-- Whom a stop is about, if they are there.
CREATE FUNCTION stop_scope(p_scope text, OUT agent text, OUT tool text) RETURNS record LANGUAGE plpgsql STABLE AS $$
BEGIN
  SELECT x.agent, x.tool INTO agent, tool FROM read_scope(p_scope) AS x;
  IF agent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM agent g WHERE g.name = stop_scope.agent
      AND (stop_scope.tool IS NULL OR g.manifest -> 'tools' ? stop_scope.tool)) THEN
    RAISE EXCEPTION 'there is no %', replace(p_scope, '/', ' ') USING ERRCODE = '22023';
  END IF;
END $$;
---
-- Keeps that a stop was asked for, before anything is waited for.
CREATE FUNCTION intend_stop(p_scope text, p_reads boolean, p_reason text, p_actor text, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint;
BEGIN
  PERFORM stop_scope(p_scope);
  PERFORM require_reason(p_reason);
  INSERT INTO stop_intent (scope, reads, reason, actor, at) VALUES (p_scope, p_reads, p_reason, p_actor, p_now)
  RETURNING id INTO v_id;
  RETURN v_id;
END $$;
---
-- The emergency disable: waits for the gate alone, closes it, voids what waited, lists what had begun.
-- The API, the CLI's DATABASE_URL way and the runbook's psql all call this one function:
--   SELECT disable_switch('everything', false, 'why', 'who', clock_timestamp());
-- p_intent: what keeps that it was asked for. Where the same stop was carried out for another one, nothing is done twice.
CREATE FUNCTION disable_switch(p_scope text, p_reads boolean, p_reason text, p_actor text, p_now timestamptz,
  p_intent bigint DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_epoch bigint;
  v_agent text;
  v_tool text;
  v_voided int;
  v_flight jsonb;
  v_open boolean;
BEGIN
  -- What is kept was looked at when it was asked for, and a tool that is gone since is no harm.
  IF p_intent IS NULL THEN PERFORM stop_scope(p_scope); END IF;
  SELECT x.agent, x.tool INTO v_agent, v_tool FROM read_scope(p_scope) AS x;
  PERFORM require_reason(p_reason);
  PERFORM pg_advisory_xact_lock(gate_key());
  v_open := p_intent IS NULL OR EXISTS (SELECT 1 FROM stop_intent WHERE id = p_intent AND closed_at IS NULL);
  UPDATE stop_intent SET closed_at = p_now WHERE closed_at IS NULL AND scope = p_scope AND (p_reads OR NOT reads)
    AND actor = p_actor AND reason = p_reason;
  IF NOT v_open AND EXISTS (SELECT 1 FROM switch WHERE scope = p_scope AND disabled AND (reads OR NOT p_reads)) THEN
    v_flight := actions_in_flight(v_agent, v_tool, NULL, NULL);
    RETURN jsonb_build_object('epoch', (SELECT epoch FROM installation), 'voided', 0, 'inFlight', v_flight,
      'credentialsUntil', iso(credentials_until(v_flight)));
  END IF;
  v_epoch := raise_epoch();
  INSERT INTO switch AS s (scope, disabled, reads, reason, actor, changed_at, epoch)
  VALUES (p_scope, true, p_reads, p_reason, p_actor, p_now, v_epoch)
  ON CONFLICT (scope) DO UPDATE SET disabled = true, reads = p_reads OR (s.disabled AND s.reads), reason = p_reason,
    actor = p_actor, changed_at = p_now, epoch = v_epoch, enable_asked_by = NULL;
  INSERT INTO stop (scope, reads, reason, actor, at, epoch)
  VALUES (p_scope, p_reads, p_reason, p_actor, p_now, v_epoch);
  v_voided := void_actions(v_agent, v_tool, NULL, NULL, NULL,
    CASE WHEN p_reads THEN ARRAY['read', 'write'] ELSE ARRAY['write'] END, 'disabled', p_reason, p_now, p_actor);
  UPDATE rollout o SET step_elapsed_ms = step_elapsed_ms
      + (greatest(0, extract(epoch FROM p_now - ticking_since)) * 1000)::bigint,
    ticking_since = NULL, revision = revision + 1
  WHERE ended_at IS NULL AND v_tool IS NULL AND (v_agent IS NULL OR o.agent = v_agent);
  INSERT INTO outbox (topic, key) SELECT 'rollout', id FROM rollout o
  WHERE ended_at IS NULL AND (v_agent IS NULL OR o.agent = v_agent);
  v_flight := actions_in_flight(v_agent, v_tool, NULL, NULL);
  PERFORM log_append('switch.disabled', v_agent, p_scope, p_now, p_actor, jsonb_build_object('scope', p_scope,
    'reads', p_reads, 'reason', p_reason, 'epoch', v_epoch, 'voided', v_voided,
    'inFlight', without_summaries(v_flight)));
  PERFORM raise_alert('switch.disabled', v_agent, p_now, jsonb_build_object('scope', p_scope, 'reads', p_reads,
    'reason', p_reason, 'actor', p_actor, 'voided', v_voided, 'inFlight', v_flight));
  RETURN jsonb_build_object('epoch', v_epoch, 'voided', v_voided, 'inFlight', v_flight,
    'credentialsUntil', iso(credentials_until(v_flight)));
END $$;
---
-- Opens the gate again. An agent or a tool takes one person and a reason, everything takes two different people.
CREATE FUNCTION enable_switch(p_scope text, p_reason text, p_actor text, p_now timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  s switch;
  v_epoch bigint;
  v_agent text;
  v_last bigint;
BEGIN
  SELECT x.agent INTO v_agent FROM read_scope(p_scope) AS x;
  PERFORM require_reason(p_reason);
  -- Stops that were asked for before this: whoever died over one is answered by it.
  SELECT max(id) INTO v_last FROM stop_intent WHERE closed_at IS NULL;
  PERFORM pg_advisory_xact_lock(gate_key());
  SELECT * INTO s FROM switch x WHERE x.scope = p_scope FOR UPDATE;
  IF NOT FOUND OR NOT s.disabled THEN
    UPDATE stop_intent SET closed_at = p_now WHERE scope = p_scope AND closed_at IS NULL AND id <= v_last;
    RETURN jsonb_build_object('status', 'already_enabled');
  END IF;
  IF p_scope = 'everything' AND coalesce(s.enable_asked_by, p_actor) = p_actor THEN
    UPDATE switch SET enable_asked_by = p_actor WHERE scope = p_scope;
    PERFORM log_append('switch.enable_asked', NULL, p_scope, p_now, p_actor,
      jsonb_build_object('scope', p_scope, 'reason', p_reason));
    RETURN jsonb_build_object('status', 'second_person_needed', 'askedBy', p_actor);
  END IF;
  v_epoch := raise_epoch();
  UPDATE switch SET disabled = false, reads = false, reason = p_reason, actor = p_actor, changed_at = p_now,
    epoch = v_epoch, enable_asked_by = NULL WHERE scope = p_scope;
  UPDATE stop SET ended_at = p_now, ended_by = p_actor WHERE scope = p_scope AND ended_at IS NULL;
  UPDATE stop_intent SET closed_at = p_now WHERE scope = p_scope AND closed_at IS NULL AND id <= v_last;
  UPDATE rollout o SET revision = revision + 1
  WHERE ended_at IS NULL AND (v_agent IS NULL OR o.agent = v_agent);
  UPDATE rollout o SET ticking_since = p_now
  WHERE ended_at IS NULL AND status = 'running' AND ticking_since IS NULL
    AND NOT switched_off(o.agent, '', 'write') AND (v_agent IS NULL OR o.agent = v_agent);
  INSERT INTO outbox (topic, key) SELECT 'rollout', id FROM rollout o
  WHERE ended_at IS NULL AND (v_agent IS NULL OR o.agent = v_agent);
  PERFORM log_append('switch.enabled', v_agent, p_scope, p_now, p_actor, jsonb_build_object('scope', p_scope,
    'reason', p_reason, 'epoch', v_epoch, 'with', s.enable_asked_by));
  PERFORM raise_alert('switch.enabled', v_agent, p_now, jsonb_build_object('scope', p_scope, 'reason', p_reason,
    'actor', p_actor));
  RETURN jsonb_build_object('status', 'enabled', 'epoch', v_epoch);
END $$;
---
-- Takes a segment back, in one transaction: exposure zero, generation and epoch up, what waited voided.
-- p_generation is the one the caller judged: another means somebody was there first, and nothing is done.
CREATE FUNCTION rollback_segment(p_rollout text, p_segment text, p_generation int, p_now timestamptz, p_actor text,
  p_because text, p_evidence jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  o rollout;
  s rollout_segment;
  v_epoch bigint;
  v_voided int;
  v_flight jsonb;
  v_changed boolean := false;
BEGIN
  -- A stop too: another one waits for it and does not end it.
  PERFORM set_config('application_name', 'portcullis stop ' || p_rollout, true);
  PERFORM pg_advisory_xact_lock(gate_key());
  SELECT * INTO o FROM rollout x WHERE x.id = p_rollout FOR UPDATE;
  SELECT * INTO s FROM rollout_segment x WHERE x.rollout_id = p_rollout AND x.segment = p_segment FOR UPDATE;
  IF s.segment IS NULL OR s.state = 'rolled_back' OR s.generation <> coalesce(p_generation, s.generation) THEN
    RETURN jsonb_build_object('status', 'unchanged', 'state', s.state, 'generation', s.generation);
  END IF;
  v_epoch := raise_epoch();
  UPDATE rollout_segment SET exposure = 0, generation = generation + 1, state = 'rolled_back', changed_at = p_now,
    because = p_because WHERE rollout_id = p_rollout AND segment = p_segment;
  IF o.ended_at IS NOT NULL THEN
    UPDATE in_force SET release = o.plan #>> ARRAY['control', p_segment], since = p_now, because = 'rollback'
    WHERE agent = o.agent AND segment = p_segment AND release = o.release;
    v_changed := FOUND;
    -- A rollout that took this release for its control must not bring it back.
    UPDATE rollout r SET plan = jsonb_set(r.plan, ARRAY['control', p_segment], o.plan #> ARRAY['control', p_segment])
    WHERE r.agent = o.agent AND r.id <> o.id AND (r.ended_at IS NULL OR r.status = 'completed')
      AND r.plan #>> ARRAY['control', p_segment] = o.release AND o.plan #> ARRAY['control', p_segment] IS NOT NULL;
  END IF;
  UPDATE rollout SET gate_approved_by = NULL, revision = revision + 1 WHERE id = p_rollout AND ended_at IS NULL;
  v_voided := void_actions(o.agent, NULL, p_rollout, p_segment, 'candidate', ARRAY['read', 'write'], 'superseded',
    'rolled_back', p_now, p_actor);
  v_flight := actions_in_flight(o.agent, NULL, p_rollout, p_segment);
  PERFORM log_append('rollout.rolled_back', o.agent, p_rollout, p_now, p_actor, jsonb_build_object(
    'segment', p_segment, 'generation', s.generation + 1, 'epoch', v_epoch, 'exposureBefore', s.exposure,
    'because', p_because, 'voided', v_voided, 'inFlight', without_summaries(v_flight), 'evidence', p_evidence));
  INSERT INTO outbox (topic, key) VALUES ('rollout', p_rollout);
  RETURN jsonb_build_object('status', 'rolled_back', 'epoch', v_epoch, 'generation', s.generation + 1,
    'exposureBefore', s.exposure, 'changed', v_changed OR (s.exposure > 0 AND o.ended_at IS NULL),
    'voided', v_voided, 'inFlight', v_flight, 'credentialsUntil', iso(credentials_until(v_flight)));
END $$;
