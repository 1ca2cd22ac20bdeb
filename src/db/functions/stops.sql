-- Takes something away, under the gate: what was asked before it about these actions (null means any) neither begins nor
-- is approved from its commit on (out_of_force), and is voided after it. Returns what follow_revocation() wants.
CREATE FUNCTION revoke(p_kind text, p_agent text, p_tool text, p_rollout text, p_segment text, p_arm text, p_kinds text[],
  p_becomes text, p_because text, p_epoch bigint, p_now timestamptz, p_actor text, p_facts jsonb DEFAULT '{}', p_release text DEFAULT NULL)
RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO revocation (kind, agent, tool, rollout_id, segment, arm, kinds, becomes, because, epoch, at, actor, facts, release)
  VALUES (p_kind, p_agent, p_tool, p_rollout, p_segment, p_arm, p_kinds, p_becomes, p_because, p_epoch, p_now, p_actor, p_facts,
    p_release)
  RETURNING id
$$;
---
-- What follows when something was taken away: voids what waited, all at once; where it was a switch, tells people. Whoever
-- comes second waits, and finds it done. Returns how many were voided, null where there is no such revocation. Nobody waits
-- long for who holds a row: the service goes on with it.
CREATE FUNCTION follow_revocation(p_id bigint, p_now timestamptz) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off
SET lock_timeout = '2s' AS $$
DECLARE
  v revocation;
BEGIN
  SELECT * INTO v FROM revocation r WHERE r.id = p_id FOR UPDATE;
  IF v.voided IS NULL AND v.id IS NOT NULL THEN
    v.voided := void_revoked(v, p_now);
    -- What was in flight is said in people's words: with the alert it is told, and kept there alone.
    UPDATE revocation SET voided = v.voided, done_at = CASE WHEN kind <> 'rollback' THEN p_now END,
      facts = CASE WHEN kind <> 'rollback' THEN '{}' ELSE facts END WHERE id = p_id;
    IF v.kind = 'switch' THEN
      PERFORM raise_alert('switch.disabled', v.agent, p_now, v.facts || jsonb_build_object('voided', v.voided));
    END IF;
  END IF;
  RETURN v.voided;
END $$;
---
-- What waits of what was taken away. Of a release that was in force also what was asked while nobody watched its rollout, or
-- beside a later one: it ran by being in force.
CREATE FUNCTION still_revoked(v revocation) RETURNS SETOF uuid LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN QUERY SELECT x.id FROM open_action x WHERE x.state IN ('pending', 'approved')
    AND x.epoch < v.epoch AND x.kind = ANY (v.kinds)
    AND (v.agent IS NULL OR x.agent = v.agent) AND (v.tool IS NULL OR x.tool = v.tool)
    AND (v.segment IS NULL OR x.segment = v.segment)
    AND ((v.rollout_id IS NULL OR x.rollout_id = v.rollout_id) AND (v.arm IS NULL OR x.arm = v.arm)
      OR (v.release IS NOT NULL AND x.arm = 'control' AND v.release = (SELECT a.release FROM action a WHERE a.id = x.id)));
END $$;
---
CREATE FUNCTION void_revoked(v revocation, p_now timestamptz) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_count int;
BEGIN
  WITH open AS MATERIALIZED (
    SELECT a.id, a.state FROM action a
    WHERE a.id = ANY (ARRAY(SELECT still_revoked(v))) AND a.state IN ('pending', 'approved')
    ORDER BY a.id FOR UPDATE
  ), moved AS (
    UPDATE action a SET state = v.becomes, revision = a.revision + 1, ended_at = p_now, ended_by = v.actor,
      ended_because = CASE WHEN v.becomes <> 'superseded' THEN v.because END,
      superseded_because = CASE WHEN v.becomes = 'superseded' THEN v.because END
    FROM open WHERE a.id = open.id
    RETURNING a.id, a.agent, a.kind, a.revision, a.counts, a.decided_by, open.state AS before
  ), logged AS (
    INSERT INTO log_unnumbered (at, kind, agent, ref, body)
    SELECT p_now, 'action.' || v.becomes, m.agent, m.id::text, log_body('action.' || v.becomes, m.agent, m.id::text, p_now,
      v.actor, jsonb_build_object('because', v.because, 'from', m.before, 'to', v.becomes, 'revision', m.revision))
    FROM moved m ORDER BY m.id
  ), due AS (
    INSERT INTO evidence_due (action_id, at) SELECT m.id, p_now FROM moved m WHERE m.counts <> '{}' ORDER BY m.id
  ), shown AS (
    INSERT INTO outbox (topic, key)
    SELECT 'action', m.id::text FROM moved m WHERE m.kind = 'write' AND m.decided_by IS DISTINCT FROM 'policy' ORDER BY m.id
  ), called AS MATERIALIZED (
    SELECT m.id || '/' || m.revision AS key, jsonb_build_object('state', v.becomes, 'at', iso(p_now)) AS payload
    FROM moved m JOIN agent g ON g.name = m.agent
    WHERE m.kind = 'write' AND g.manifest #>> '{callback,url}' IS NOT NULL
  ), kept AS (
    INSERT INTO callback (key, payload, at) SELECT key, payload, p_now FROM called
  ), sent AS (
    INSERT INTO outbox (topic, key, payload) SELECT 'callback', key, payload FROM called ORDER BY key
  )
  SELECT count(*) INTO v_count FROM moved;
  RETURN v_count;
END $$;
---
CREATE FUNCTION actions_in_flight(p_agent text, p_tool text, p_rollout text, p_segment text, p_release text DEFAULT NULL)
RETURNS jsonb LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object('action', a.id, 'agent', a.agent, 'tool', a.tool, 'summary', a.summary,
      'begunAt', iso(a.began_at)) ORDER BY a.began_at), '[]')
    FROM action a
    WHERE a.id = ANY (ARRAY(SELECT x.id FROM open_action x WHERE x.state = 'executing'
      AND (p_agent IS NULL OR x.agent = p_agent) AND (p_tool IS NULL OR x.tool = p_tool)
      AND (p_rollout IS NULL OR (x.rollout_id = p_rollout AND x.arm = 'candidate')
        OR (p_release IS NOT NULL AND x.arm = 'control' AND p_release = (SELECT r.release FROM action r WHERE r.id = x.id)))
      AND (p_segment IS NULL OR x.segment = p_segment))));
END $$;
---
-- For the log, which is never edited: what an action would do holds values of its arguments, and they may be erased.
CREATE FUNCTION without_summaries(p_in_flight jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_agg(e - 'summary' ORDER BY n), '[]') FROM jsonb_array_elements(p_in_flight) WITH ORDINALITY AS x (e, n)
$$;
---
CREATE FUNCTION credentials_until(p_in_flight jsonb) RETURNS timestamptz LANGUAGE plpgsql STABLE SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT max(c.expires_at) FROM credential c WHERE c.revoked_at IS NULL
    AND c.action_id = ANY (ARRAY(SELECT (e ->> 'action')::uuid FROM jsonb_array_elements(p_in_flight) e)));
END $$;
---
CREATE FUNCTION raise_alert(p_kind text, p_agent text, p_now timestamptz, p_facts jsonb) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
  v_id text := p_kind || '-' || gen_random_uuid();
  v_summary text;
BEGIN
  -- As the action says it now: whoever raises this read it before, and its subject may have been erased since.
  IF p_facts ? 'action' AND p_facts ? 'summary' THEN
    SELECT a.summary INTO v_summary FROM action a WHERE a.id = (p_facts ->> 'action')::uuid FOR KEY SHARE;
    IF FOUND THEN p_facts := p_facts || jsonb_build_object('summary', v_summary); END IF;
  END IF;
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
-- The emergency disable: waits for the gate alone, closes it, lists what had begun. What waited is voided after its commit,
-- by whoever goes on with `revocation` (follow_revocation), the service at the latest.
-- The API, the CLI's DATABASE_URL way and the runbook's psql all call this one function:
--   SELECT disable_switch('everything', false, 'why', 'who', clock_timestamp());
-- p_intent: what keeps that it was asked for. Where the same stop was carried out for another one, nothing is done twice.
CREATE FUNCTION disable_switch(p_scope text, p_reads boolean, p_reason text, p_actor text, p_now timestamptz,
  p_intent bigint DEFAULT NULL) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_epoch bigint;
  v_agent text;
  v_tool text;
  v_flight jsonb;
  v_open boolean;
  v_id bigint;
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
    RETURN jsonb_build_object('epoch', (SELECT epoch FROM installation), 'inFlight', v_flight,
      'credentialsUntil', iso(credentials_until(v_flight)));
  END IF;
  v_epoch := raise_epoch();
  INSERT INTO switch AS s (scope, disabled, reads, reason, actor, changed_at, epoch)
  VALUES (p_scope, true, p_reads, p_reason, p_actor, p_now, v_epoch)
  ON CONFLICT (scope) DO UPDATE SET disabled = true, reads = p_reads OR (s.disabled AND s.reads), reason = p_reason,
    actor = p_actor, changed_at = p_now, epoch = v_epoch, enable_asked_by = NULL;
  INSERT INTO stop (scope, reads, reason, actor, at, epoch)
  VALUES (p_scope, p_reads, p_reason, p_actor, p_now, v_epoch);
  UPDATE rollout o SET step_elapsed_ms = step_elapsed_ms
      + (greatest(0, extract(epoch FROM p_now - ticking_since)) * 1000)::bigint,
    ticking_since = NULL, revision = revision + 1
  WHERE ended_at IS NULL AND v_tool IS NULL AND (v_agent IS NULL OR o.agent = v_agent);
  INSERT INTO outbox (topic, key) SELECT 'rollout', id FROM rollout o
  WHERE ended_at IS NULL AND (v_agent IS NULL OR o.agent = v_agent);
  v_flight := actions_in_flight(v_agent, v_tool, NULL, NULL);
  PERFORM log_append('switch.disabled', v_agent, p_scope, p_now, p_actor, jsonb_build_object('scope', p_scope,
    'reads', p_reads, 'reason', p_reason, 'epoch', v_epoch, 'inFlight', without_summaries(v_flight)));
  v_id := revoke('switch', v_agent, v_tool, NULL, NULL, NULL,
    CASE WHEN p_reads THEN ARRAY['read', 'write'] ELSE ARRAY['write'] END, 'disabled', p_reason, v_epoch, p_now, p_actor,
    jsonb_build_object('scope', p_scope, 'reads', p_reads, 'reason', p_reason, 'actor', p_actor, 'inFlight', v_flight));
  RETURN jsonb_build_object('epoch', v_epoch, 'revocation', v_id, 'inFlight', v_flight,
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
-- Takes a segment back: exposure zero, generation up, nothing earned in it any more. The caller holds the gate and has
-- raised the epoch; what waited is voided after its commit. p_generation is the one the caller judged: another means
-- somebody was there first, and nothing is done. p_facts: what the report of it needs, its incident's id among it.
CREATE FUNCTION rollback_segment(p_rollout text, p_segment text, p_generation int, p_epoch bigint, p_now timestamptz,
  p_actor text, p_because text, p_evidence jsonb, p_facts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  o rollout;
  s rollout_segment;
  v_flight jsonb;
  v_changed boolean := false;
  v_release text;
  v_id bigint;
BEGIN
  SELECT * INTO o FROM rollout x WHERE x.id = p_rollout FOR UPDATE;
  SELECT * INTO s FROM rollout_segment x WHERE x.rollout_id = p_rollout AND x.segment = p_segment FOR UPDATE;
  IF s.segment IS NULL OR s.state = 'rolled_back' OR s.generation <> coalesce(p_generation, s.generation) THEN
    RETURN jsonb_build_object('status', 'unchanged', 'state', s.state, 'generation', s.generation);
  END IF;
  UPDATE rollout_segment SET exposure = 0, generation = generation + 1, state = 'rolled_back', changed_at = p_now,
    because = p_because WHERE rollout_id = p_rollout AND segment = p_segment;
  IF o.ended_at IS NOT NULL THEN
    UPDATE in_force SET release = o.plan #>> ARRAY['control', p_segment], since = p_now, because = 'rollback'
    WHERE agent = o.agent AND segment = p_segment AND release = o.release;
    v_changed := FOUND;
    v_release := CASE WHEN v_changed THEN o.release END;
    -- A rollout that took this release for its control must not bring it back.
    UPDATE rollout r SET plan = jsonb_set(r.plan, ARRAY['control', p_segment], o.plan #> ARRAY['control', p_segment])
    WHERE r.agent = o.agent AND r.id <> o.id AND (r.ended_at IS NULL OR r.status = 'completed')
      AND r.plan #>> ARRAY['control', p_segment] = o.release AND o.plan #> ARRAY['control', p_segment] IS NOT NULL;
  END IF;
  UPDATE rollout SET gate_approved_by = NULL, revision = revision + 1 WHERE id = p_rollout AND ended_at IS NULL;
  v_changed := v_changed OR (s.exposure > 0 AND o.ended_at IS NULL);
  IF v_changed THEN
    PERFORM end_autonomy(o.agent, p_segment, p_now, p_actor, p_facts ->> 'incident');
    PERFORM open_cycle_review(p_rollout, 'rolled_back', p_segment, p_because, p_now, p_actor);
  END IF;
  v_flight := actions_in_flight(o.agent, NULL, p_rollout, p_segment, v_release);
  PERFORM log_append('rollout.rolled_back', o.agent, p_rollout, p_now, p_actor, jsonb_build_object(
    'segment', p_segment, 'generation', s.generation + 1, 'epoch', p_epoch, 'exposureBefore', s.exposure,
    'because', p_because, 'inFlight', without_summaries(v_flight), 'evidence', p_evidence));
  v_id := revoke('rollback', o.agent, NULL, p_rollout, p_segment, 'candidate', ARRAY['read', 'write'], 'superseded',
    'rolled_back', p_epoch, p_now, p_actor, p_facts || jsonb_build_object('changed', v_changed, 'inFlight', v_flight),
    v_release);
  INSERT INTO outbox (topic, key) VALUES ('rollout', p_rollout);
  RETURN jsonb_build_object('status', 'rolled_back', 'revocation', v_id, 'changed', v_changed);
END $$;
