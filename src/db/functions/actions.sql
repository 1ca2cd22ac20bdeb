-- The one way an action changes state: compare-and-set on (state, revision) with how it ended, and what goes with every change
-- (moved). Returns false when the row was no longer as expected. Who begins or completes one changes more in the same
-- statement. `because` in p_data: the code of why it is void, or people's words on a stop.
CREATE FUNCTION move_action(p_id uuid, p_from text, p_revision int, p_to text, p_kind text,
  p_at timestamptz, p_actor text, p_data jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  a action;
  v_ends boolean := p_to IN ('expired', 'withdrawn', 'superseded', 'disabled');
BEGIN
  UPDATE action SET state = p_to, revision = revision + 1,
    ended_at = CASE WHEN v_ends THEN p_at END, ended_by = CASE WHEN v_ends THEN p_actor END,
    ended_because = CASE WHEN v_ends AND p_to <> 'superseded' THEN p_data ->> 'because' END,
    superseded_because = CASE WHEN p_to = 'superseded' THEN p_data ->> 'because' END
  WHERE id = p_id AND state = p_from AND revision = p_revision RETURNING * INTO a;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM moved(a, p_from, p_kind, p_at, p_actor, p_data);
  RETURN true;
END $$;
---
-- What goes with a change of an action's state, as it is now: its log entry and, where people, a workflow or the agent's own
-- server must follow, outbox entries.
CREATE FUNCTION moved(a action, p_from text, p_kind text, p_at timestamptz, p_actor text, p_data jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_told jsonb;
BEGIN
  PERFORM log_append(p_kind, a.agent, a.id::text, p_at, p_actor,
    p_data || jsonb_build_object('from', p_from, 'to', a.state, 'revision', a.revision));
  IF a.counts <> '{}' THEN INSERT INTO evidence_due (action_id, at) VALUES (a.id, p_at); END IF;
  IF a.kind = 'write' AND (a.decided_by IS DISTINCT FROM 'policy' OR a.state = 'unknown') THEN
    INSERT INTO outbox (topic, key) VALUES ('action', a.id::text);
  END IF;
  -- That it begins, the agent knows: it began it.
  IF a.kind = 'write' AND a.state <> 'executing'
    AND EXISTS (SELECT 1 FROM agent g WHERE g.name = a.agent AND g.manifest #>> '{callback,url}' IS NOT NULL) THEN
    v_told := jsonb_build_object('state', a.state, 'at', iso(p_at));
    INSERT INTO callback (key, payload, at) VALUES (a.id || '/' || a.revision, v_told, p_at);
    INSERT INTO outbox (topic, key, payload) VALUES ('callback', a.id || '/' || a.revision, v_told);
  END IF;
END $$;
---
-- Records asks and their decisions before they are answered, all at once: one row of `status` per ask, in order.
-- 'stale': the epoch moved since the decision was made, decide again. 'subject': its key is gone, make a new one.
-- 'unauthenticated': the token that it was asked by has ended meanwhile.
-- Under the gate's shared lock, so that a stop either finds what was asked before it, or is known to what is asked after. For
-- the same reason a write that the policy lets pass may begin here (`begun`): nothing came between its decision and its begin.
CREATE FUNCTION ask_actions(p_asks jsonb, p_now timestamptz)
RETURNS TABLE (n int, status text, id uuid) LANGUAGE plpgsql SET enable_seqscan = off SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_epoch bigint;
  v_since timestamptz := key_period(clock_timestamp());
  v_asked uuid[];
  v_stale int[] := ARRAY[]::int[];
  k record;
BEGIN
  -- Whoever holds the gate for longer is ended by a stop; rows may be waited for as ever.
  PERFORM set_config('lock_timeout', '5s', true);
  PERFORM pg_advisory_xact_lock_shared(gate_key());
  PERFORM set_config('lock_timeout', '0', true);
  SELECT i.epoch INTO v_epoch FROM installation i;
  PERFORM lock_new_keys(p_asks, v_since);
  IF p_asks @? '$[*] ? (@.standing_id != null)' THEN
    -- In the order of whoever rolls back or ends standing approvals: rollouts first, then standing approvals by id.
    PERFORM 1 FROM rollout o WHERE o.id IN (SELECT e ->> 'rollout_id' FROM jsonb_array_elements(p_asks) e)
    ORDER BY o.id FOR KEY SHARE;
    PERFORM 1 FROM standing_approval s
    WHERE s.id IN (SELECT (e ->> 'standing_id')::uuid FROM jsonb_array_elements(p_asks) e) ORDER BY s.id FOR UPDATE;
    -- Each takes its use on its own, before the others of the batch: one that is not new took none.
    FOR k IN SELECT e.value AS ask, e.ordinality::int AS nth FROM jsonb_array_elements(p_asks) WITH ORDINALITY e
      WHERE e.value ->> 'standing_id' IS NOT NULL AND (e.value ->> 'epoch')::bigint = v_epoch
    LOOP
      IF EXISTS (SELECT 1 FROM asked_key x WHERE x.agent = k.ask ->> 'agent' AND x.key = k.ask ->> 'idempotency_key')
        OR NOT use_standing_approval((k.ask ->> 'standing_id')::uuid, p_now) THEN
        v_stale := v_stale || k.nth;
      END IF;
    END LOOP;
  END IF;
  WITH asked AS MATERIALIZED (
    SELECT e.ordinality::int AS nth, e.value AS ask, (e.value ->> 'id')::uuid AS id, e.value ->> 'agent' AS agent,
      e.value ->> 'idempotency_key' AS key
    FROM jsonb_array_elements(p_asks) WITH ORDINALITY e
    WHERE (e.value ->> 'epoch')::bigint = v_epoch AND e.ordinality <> ALL (v_stale)
      AND EXISTS (SELECT 1 FROM subject s WHERE s.id = (e.value ->> 'subject_id')::bigint)
      AND (e.value ->> 'token' IS NULL OR token_still_good((e.value ->> 'token')::uuid, (e.value ->> 'token_epoch')::bigint))
  ), fresh AS (
    -- In the order of the keys, so that two that ask under the same ones do not wait for each other.
    INSERT INTO asked_key (agent, key, since, action_id, request_digest)
    SELECT a.agent, a.key, v_since, a.id, a.ask ->> 'request_digest' FROM asked a
    WHERE NOT EXISTS (SELECT 1 FROM asked_key x WHERE x.agent = a.agent AND x.key = a.key AND x.since < v_since)
    ORDER BY a.agent, a.key
    ON CONFLICT DO NOTHING RETURNING action_id
  ), new AS MATERIALIZED (
    SELECT a.*, a.ask ->> 'record' = 'read' AS reads FROM asked a JOIN fresh f ON f.action_id = a.id
  ), reads AS (
    INSERT INTO read_record SELECT r.* FROM new, jsonb_populate_record(NULL::read_record, new.ask) r WHERE new.reads
  ), actions AS (
    INSERT INTO action SELECT r.* FROM new, jsonb_populate_record(NULL::action, new.ask) r WHERE NOT new.reads
  ), private AS (
    INSERT INTO action_private (action_id, args, context, attributes, salt)
    SELECT new.id, r.args, r.context, r.attributes, r.salt
    FROM new, jsonb_populate_record(NULL::action_private, new.ask) r WHERE NOT new.reads
  ), logged AS (
    INSERT INTO log_unnumbered (at, kind, agent, ref, body)
    SELECT (ask ->> 'asked_at')::timestamptz, e.kind, agent, new.id::text, e.body
    FROM new, LATERAL (
      SELECT 0 AS n, 'action.asked' AS kind, ask ->> 'entry' AS body
      UNION ALL SELECT b.n, b.value ->> 'kind', b.value ->> 'body'
      FROM jsonb_array_elements(ask #> '{begun,entries}') WITH ORDINALITY AS b (value, n)) e
    ORDER BY nth, e.n
  ), due AS (
    INSERT INTO evidence_due (action_id, at)
    SELECT new.id, (ask ->> 'asked_at')::timestamptz FROM new
    WHERE (ask ->> 'state' = 'pending' OR ask ? 'begun') AND ask -> 'counts' <> '{}' ORDER BY nth
  ), told AS (
    INSERT INTO outbox (topic, key) SELECT 'action', new.id::text FROM new WHERE ask ->> 'state' = 'pending' ORDER BY nth
  )
  SELECT coalesce(array_agg(new.id), '{}') INTO v_asked FROM new;
  -- A statement of its own: what counts credentials finds the actions, and what counted those found no credentials.
  INSERT INTO credential (jti, action_id, execution_id, issued_at, expires_at)
  SELECT (e #>> '{begun,jti}')::uuid, (e ->> 'id')::uuid, e ->> 'execution_id', (e ->> 'began_at')::timestamptz,
    (e #>> '{begun,expires_at}')::timestamptz
  FROM jsonb_array_elements(p_asks) e WHERE e ? 'begun' AND (e ->> 'id')::uuid = ANY (v_asked);
  -- What took a use and is not new after all (another process asked under the same key) gives it back.
  FOR k IN SELECT e.value AS ask FROM jsonb_array_elements(p_asks) WITH ORDINALITY e
    WHERE e.value ->> 'standing_id' IS NOT NULL AND (e.value ->> 'epoch')::bigint = v_epoch
      AND e.ordinality <> ALL (v_stale) AND (e.value ->> 'id')::uuid <> ALL (v_asked)
  LOOP
    UPDATE standing_approval s SET used = s.used - 1,
      ended_at = CASE WHEN s.ended_because = 'spent' THEN NULL ELSE s.ended_at END,
      ended_because = CASE WHEN s.ended_because = 'spent' THEN NULL ELSE s.ended_because END
    WHERE s.id = (k.ask ->> 'standing_id')::uuid;
  END LOOP;
  -- A statement of its own: it sees under which keys others asked meanwhile.
  RETURN QUERY SELECT e.ordinality::int, CASE
      WHEN (e.value ->> 'id')::uuid = ANY (v_asked) THEN 'asked'
      WHEN e.value ->> 'token' IS NOT NULL
        AND NOT token_still_good((e.value ->> 'token')::uuid, (e.value ->> 'token_epoch')::bigint) THEN 'unauthenticated'
      WHEN x.request_digest = e.value ->> 'request_digest' THEN 'known'
      WHEN x.action_id IS NOT NULL THEN 'conflict'
      WHEN (e.value ->> 'epoch')::bigint <> v_epoch OR e.ordinality = ANY (v_stale) THEN 'stale'
      ELSE 'subject' END, CASE WHEN (e.value ->> 'id')::uuid = ANY (v_asked) THEN (e.value ->> 'id')::uuid ELSE x.action_id END
    FROM jsonb_array_elements(p_asks) WITH ORDINALITY e LEFT JOIN LATERAL (
      SELECT a.action_id, a.request_digest FROM asked_key a
      WHERE (e.value ->> 'id')::uuid <> ALL (v_asked) AND a.agent = e.value ->> 'agent'
        AND a.key = e.value ->> 'idempotency_key' LIMIT 1) x ON true
    ORDER BY e.ordinality;
END $$;
---
-- The partition of keys that a moment belongs to, by its begin.
CREATE FUNCTION key_period(p_at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
  SELECT date_bin(interval '10 days', p_at, timestamptz '2000-01-01 00:00:00+00')
$$;
---
-- Within a minute of the turn to another partition, two may ask under one key in one each: they wait for each other.
CREATE FUNCTION lock_new_keys(p_asks jsonb, p_since timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF key_period(clock_timestamp() - interval '1 minute') = key_period(clock_timestamp() + interval '1 minute') THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(727013, k.lock) FROM (
    SELECT DISTINCT hashtext((e ->> 'agent') || chr(10) || (e ->> 'idempotency_key')) AS lock
    FROM jsonb_array_elements(p_asks) e ORDER BY 1) k;
END $$;
---
-- Reserves one use in every period the grant limits; false, and nothing is used, when one of them is full. A period
-- slides: it is counted in slices (60 of an hour, 96 of a day), and a slice that is partly over counts whole, so that no
-- hour and no 24 hours ever hold more than the limit. With `"window": "clock"` it is an hour or day of the clock, in UTC.
CREATE FUNCTION reserve_limits(a action, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_clock boolean := coalesce(a.limits ->> 'window', 'sliding') = 'clock';
  v_periods text[] := ARRAY[]::text[];
  v_starts timestamptz[] := ARRAY[]::timestamptz[];
  l record;
BEGIN
  IF NOT a.limits ?| ARRAY['perHour', 'perDay'] THEN RETURN true; END IF;
  -- Whoever counts for a grant is alone until it commits: two at the edge of a slice would not see each other.
  PERFORM pg_advisory_xact_lock(727010, hashtext(a.agent || chr(10) || a.release || chr(10) || a.grant_name));
  FOR l IN SELECT v.period, v.most,
      date_bin(CASE WHEN v_clock THEN v.length ELSE v.slice END, p_now, timestamptz '2000-01-01 00:00:00+00') AS starts,
      CASE WHEN v_clock THEN date_bin(v.length, p_now, timestamptz '2000-01-01 00:00:00+00')
        ELSE p_now - v.length - v.slice + interval '1 microsecond' END AS counts_from, p_now - 2 * v.length AS kept_from
    FROM (VALUES ('hour', (a.limits ->> 'perHour')::int, interval '1 hour', interval '1 minute'),
      ('day', (a.limits ->> 'perDay')::int, interval '24 hours', interval '15 minutes')) AS v (period, most, length, slice)
    WHERE v.most IS NOT NULL
  LOOP
    IF (SELECT coalesce(sum(u.used), 0) >= l.most FROM limit_use u WHERE u.agent = a.agent AND u.release = a.release
        AND u.grant_name = a.grant_name AND u.period = l.period AND u.starts_at >= l.counts_from) THEN
      RETURN false;
    END IF;
    DELETE FROM limit_use u WHERE u.agent = a.agent AND u.release = a.release AND u.grant_name = a.grant_name
      AND u.period = l.period AND u.starts_at < l.kept_from;
    v_periods := v_periods || l.period;
    v_starts := v_starts || l.starts;
  END LOOP;
  INSERT INTO limit_use AS u (agent, release, grant_name, period, starts_at, used)
  SELECT a.agent, a.release, a.grant_name, p.period, p.starts, 1 FROM unnest(v_periods, v_starts) AS p (period, starts)
  ON CONFLICT (agent, release, grant_name, period, starts_at) DO UPDATE SET used = u.used + 1;
  RETURN true;
END $$;
---
-- The moment of the write, once. Answers a status: 'begun', 'again' (same execution, still in time), or why not.
CREATE FUNCTION begin_action(p_id uuid, p_agent text, p_execution text, p_now timestamptz, p_actor text,
  p_start_ms int, p_deadline_ms int)
RETURNS TABLE (status text, state text, a jsonb) LANGUAGE plpgsql SET lock_timeout = '200ms' SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  r action;
  v_holds text;
  v_day int;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(gate_key());
  PERFORM set_config('application_name', 'portcullis begin ' || p_id, true);
  SELECT * INTO r FROM action x WHERE x.id = p_id AND x.agent = p_agent FOR UPDATE;
  IF NOT FOUND THEN
    RETURN QUERY SELECT 'unknown_action', NULL::text, NULL::jsonb;
    RETURN;
  END IF;
  IF r.state = 'executing' AND r.execution_id = p_execution THEN
    status := CASE WHEN p_now > r.start_by THEN 'too_late'
      WHEN switched_off(r.agent, r.tool, r.kind) THEN 'disabled' ELSE 'again' END;
  ELSIF r.state IN ('executing', 'executed', 'failed', 'unknown') THEN
    status := 'already_begun';
  ELSIF r.state <> 'approved' OR r.kind = 'read' THEN
    status := 'not_approved';
  ELSIF p_now > r.expires_at THEN
    status := 'expired';
    PERFORM move_action(r.id, r.state, r.revision, 'expired', 'action.expired', p_now, 'policy', '{}');
  ELSE
    v_holds := still_holds(r, p_now);
    IF v_holds = 'disabled' THEN
      status := 'disabled';
      PERFORM move_action(r.id, r.state, r.revision, 'disabled', 'action.disabled', p_now, 'policy', '{}');
    ELSIF v_holds = 'group_stale' THEN
      -- Nobody knows who is in the group: not now, and nothing is void.
      status := v_holds;
    ELSIF v_holds <> 'holds' THEN
      status := v_holds;
      PERFORM move_action(r.id, r.state, r.revision, 'superseded', 'action.superseded', p_now, 'policy',
        jsonb_build_object('because', v_holds));
    ELSIF NOT reserve_limits(r, p_now) THEN
      status := 'limit_reached';
    ELSE
      status := 'begun';
      v_day := event_day(r.rollout_id, p_now);
      UPDATE action SET state = 'executing', revision = revision + 1, execution_id = p_execution, began_at = p_now,
        begun_day = CASE WHEN r.counts <> '{}' THEN v_day END,
        start_by = p_now + make_interval(secs => p_start_ms / 1000.0),
        deadline_at = p_now + make_interval(secs => p_deadline_ms / 1000.0)
      WHERE action.id = r.id RETURNING * INTO r;
      PERFORM moved(r, 'approved', 'action.begun', p_now, p_actor,
        jsonb_build_object('execution', p_execution, 'epoch', (SELECT epoch FROM installation), 'day', v_day));
    END IF;
  END IF;
  SELECT x.* INTO r FROM action x WHERE x.id = p_id;
  RETURN QUERY SELECT begin_action.status, r.state, to_jsonb(r);
END $$;
---
-- Stores the credential just minted and checks again: false when a stop came in between (then it is revoked at once).
CREATE FUNCTION store_credential(p_jti uuid, p_id uuid, p_execution text, p_now timestamptz, p_expires timestamptz)
RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '200ms' SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  r action;
  v_ok boolean;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(gate_key());
  SELECT * INTO r FROM action x WHERE x.id = p_id FOR UPDATE;
  v_ok := r.state = 'executing' AND r.execution_id = p_execution AND still_holds(r, p_now) = 'holds';
  UPDATE credential SET revoked_at = p_now WHERE action_id = p_id AND revoked_at IS NULL;
  INSERT INTO credential (jti, action_id, execution_id, issued_at, expires_at, revoked_at)
  VALUES (p_jti, p_id, p_execution, p_now, p_expires, CASE WHEN v_ok THEN NULL ELSE p_now END);
  PERFORM log_append(CASE WHEN v_ok THEN 'credential.issued' ELSE 'credential.refused' END, r.agent, p_id::text,
    p_now, 'policy', jsonb_build_object('jti', p_jti, 'expires', iso(p_expires)));
  -- A second credential of the same execution is refused, but the first may have done the write: that stays open.
  IF NOT v_ok AND r.state = 'executing'
    AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.action_id = p_id AND c.jti <> p_jti) THEN
    UPDATE action SET error_code = 'stopped_before_credential', completed_at = p_now WHERE action.id = p_id;
    PERFORM move_action(p_id, 'executing', r.revision, 'failed', 'action.failed', p_now, 'policy',
      jsonb_build_object('error', 'stopped_before_credential'));
  END IF;
  RETURN v_ok;
END $$;
