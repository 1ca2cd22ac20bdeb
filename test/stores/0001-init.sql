-- What every part agrees on: one epoch, one secret, one signing key.
CREATE TABLE installation (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  epoch bigint NOT NULL DEFAULT 1,
  secret bytea NOT NULL,
  signing_key jsonb NOT NULL
);
---
CREATE TABLE token (
  id uuid PRIMARY KEY,
  hash text NOT NULL UNIQUE,
  roles text[] NOT NULL,
  agent text,
  person text,
  attributes jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz
);
---
CREATE TABLE agent (
  name text PRIMARY KEY,
  manifest jsonb NOT NULL,
  digest text NOT NULL,
  definitions_digest text NOT NULL,
  revision int NOT NULL,
  applied_at timestamptz NOT NULL,
  applied_by text NOT NULL
);
---
CREATE TABLE agent_approver (
  agent text NOT NULL REFERENCES agent (name),
  grp text NOT NULL,
  person text NOT NULL,
  PRIMARY KEY (agent, grp, person)
);
---
CREATE TABLE release (
  agent text NOT NULL REFERENCES agent (name),
  version text NOT NULL,
  manifest jsonb NOT NULL,
  digest text NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  PRIMARY KEY (agent, version)
);
---
CREATE TABLE in_force (
  agent text NOT NULL,
  segment text NOT NULL,
  release text NOT NULL,
  since timestamptz NOT NULL,
  because text NOT NULL,
  PRIMARY KEY (agent, segment),
  FOREIGN KEY (agent, release) REFERENCES release (agent, version)
);
---
CREATE TABLE switch (
  scope text PRIMARY KEY,
  disabled boolean NOT NULL,
  reads boolean NOT NULL DEFAULT false,
  reason text NOT NULL,
  actor text NOT NULL,
  changed_at timestamptz NOT NULL,
  epoch bigint NOT NULL,
  enable_asked_by text
);
---
CREATE TABLE rollout (
  id text PRIMARY KEY,
  agent text NOT NULL REFERENCES agent (name),
  release text NOT NULL,
  status text NOT NULL CHECK (status IN ('running', 'paused', 'completed', 'rolled_back', 'superseded')),
  salt text NOT NULL,
  plan jsonb NOT NULL,
  digests jsonb NOT NULL,
  step_index int NOT NULL DEFAULT 0,
  started_at timestamptz NOT NULL,
  started_by text NOT NULL,
  reason text NOT NULL,
  step_elapsed_ms bigint NOT NULL DEFAULT 0,
  ticking_since timestamptz,
  gate_approved_by text,
  gate_told_at timestamptz,
  baseline jsonb,
  baseline_digest text,
  baseline_locked_at timestamptz,
  agent_version text,
  held_for_version text,
  revision int NOT NULL DEFAULT 1,
  ended_at timestamptz,
  FOREIGN KEY (agent, release) REFERENCES release (agent, version)
);
---
CREATE UNIQUE INDEX rollout_one_open ON rollout (agent) WHERE ended_at IS NULL;
---
CREATE TABLE rollout_segment (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  exposure int NOT NULL DEFAULT 0 CHECK (exposure BETWEEN 0 AND 10000),
  generation int NOT NULL DEFAULT 1,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'exposed', 'rolled_back', 'excluded')),
  changed_at timestamptz NOT NULL,
  because text,
  PRIMARY KEY (rollout_id, segment)
);
---
CREATE TABLE subject (
  id bigserial PRIMARY KEY,
  agent text NOT NULL,
  name text NOT NULL,
  key bytea NOT NULL,
  UNIQUE (agent, name)
);
---
CREATE TABLE action (
  id uuid PRIMARY KEY,
  agent text NOT NULL,
  idempotency_key text NOT NULL,
  request_digest text NOT NULL,
  agent_version text NOT NULL,
  tool text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('read', 'write')),
  segment text,
  arm text NOT NULL DEFAULT 'control' CHECK (arm IN ('control', 'candidate')),
  release text,
  rollout_id text REFERENCES rollout (id),
  generation int,
  bucket int,
  phase text,
  event_day int,
  epoch bigint NOT NULL,
  grant_name text,
  state text NOT NULL CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'withdrawn', 'superseded',
    'disabled', 'executing', 'executed', 'failed', 'unknown')),
  decided_by text CHECK (decided_by IN ('policy', 'person')),
  superseded_because text,
  revision int NOT NULL DEFAULT 1,
  reasons jsonb NOT NULL,
  args_digest text NOT NULL,
  subject_id bigint REFERENCES subject (id) ON DELETE SET NULL,
  subject_digest text NOT NULL,
  summary text NOT NULL,
  why text,
  behind text,
  links jsonb NOT NULL DEFAULT '[]',
  approval jsonb,
  credential jsonb,
  limits jsonb NOT NULL DEFAULT '{}',
  asked_at timestamptz NOT NULL,
  asked_by text NOT NULL,
  expires_at timestamptz,
  remind_at timestamptz,
  decided_at timestamptz,
  deny_reason text,
  execution_id text,
  began_at timestamptz,
  start_by timestamptz,
  deadline_at timestamptz,
  completed_at timestamptz,
  result_digest text,
  error_code text,
  corrected_by text,
  corrected_at timestamptz,
  correction_reason text,
  UNIQUE (agent, idempotency_key)
);
---
CREATE INDEX action_open ON action (expires_at) WHERE state IN ('pending', 'approved');
---
CREATE INDEX action_executing ON action (deadline_at) WHERE state = 'executing';
---
CREATE INDEX action_by_agent ON action (agent, asked_at DESC, id);
---
CREATE INDEX action_by_rollout ON action (rollout_id, segment, arm, state);
---
-- What erasure deletes: arguments, results and the salts of their digests.
CREATE TABLE action_private (
  action_id uuid PRIMARY KEY REFERENCES action (id),
  args text NOT NULL,
  context text NOT NULL,
  salt bytea NOT NULL,
  result text
);
---
CREATE TABLE decision (
  action_id uuid NOT NULL REFERENCES action (id),
  person text NOT NULL,
  verdict text NOT NULL CHECK (verdict IN ('approve', 'deny')),
  at timestamptz NOT NULL,
  via text NOT NULL,
  identity text NOT NULL,
  seen_revision int,
  seen_digest text,
  reason text,
  PRIMARY KEY (action_id, person)
);
---
CREATE TABLE credential (
  jti uuid PRIMARY KEY,
  action_id uuid NOT NULL REFERENCES action (id),
  execution_id text NOT NULL,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz
);
---
CREATE INDEX credential_by_action ON credential (action_id);
---
CREATE TABLE limit_use (
  agent text NOT NULL,
  release text NOT NULL,
  grant_name text NOT NULL,
  starts_at timestamptz NOT NULL,
  period text NOT NULL,
  used int NOT NULL,
  PRIMARY KEY (agent, release, grant_name, period, starts_at)
);
---
CREATE TABLE outcome (
  agent text NOT NULL,
  id text NOT NULL,
  action_id uuid NOT NULL REFERENCES action (id),
  metric text NOT NULL,
  value double precision NOT NULL,
  reported_by text NOT NULL,
  received_at timestamptz NOT NULL,
  PRIMARY KEY (agent, id)
);
---
-- One event: a subject-day, entered at its start as harmless and amended upward.
CREATE TABLE subject_day (
  rollout_id text NOT NULL REFERENCES rollout (id),
  arm text NOT NULL,
  segment text NOT NULL,
  generation int NOT NULL,
  metric text NOT NULL,
  day int NOT NULL,
  subject_id bigint NOT NULL,
  started_at timestamptz NOT NULL,
  value double precision NOT NULL DEFAULT 0,
  known boolean NOT NULL DEFAULT false,
  PRIMARY KEY (rollout_id, arm, segment, generation, metric, day, subject_id)
);
---
CREATE TABLE day_count (
  rollout_id text NOT NULL REFERENCES rollout (id),
  arm text NOT NULL,
  segment text NOT NULL,
  generation int NOT NULL,
  metric text NOT NULL,
  day int NOT NULL,
  events int NOT NULL DEFAULT 0,
  harms int NOT NULL DEFAULT 0,
  -- Events about which somebody said what came of them; the others prove nothing good.
  known int NOT NULL DEFAULT 0,
  PRIMARY KEY (rollout_id, arm, segment, generation, metric, day)
);
---
-- What the judge still has to look at, and since which commit.
CREATE TABLE judge_queue (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  since timestamptz NOT NULL,
  -- Rises with every further change, so that the judge takes off only what it has seen.
  n int NOT NULL DEFAULT 0,
  PRIMARY KEY (rollout_id, segment)
);
---
CREATE TABLE verdict (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  generation int NOT NULL,
  metric text NOT NULL,
  verdict text NOT NULL,
  record jsonb NOT NULL,
  judged_at timestamptz NOT NULL,
  PRIMARY KEY (rollout_id, segment, generation, metric)
);
---
CREATE TABLE incident (
  id text PRIMARY KEY,
  agent text NOT NULL,
  rollout_id text REFERENCES rollout (id),
  segment text,
  metric text,
  title text NOT NULL,
  opened_at timestamptz NOT NULL,
  opened_by text NOT NULL,
  mechanism text,
  evidence jsonb NOT NULL,
  breach_at timestamptz,
  revoked_at timestamptz,
  verified_at timestamptz,
  breach_to_revoked_ms double precision
);
---
-- What people are told about: breaches, switches, gates, actions with an unknown end.
CREATE TABLE alert (
  id text PRIMARY KEY,
  agent text,
  kind text NOT NULL,
  facts jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  webhook_at timestamptz
);
---
-- Every copy of every card, so that each can follow what happened.
CREATE TABLE card (
  channel text NOT NULL,
  ts text NOT NULL,
  ref text NOT NULL,
  revision int NOT NULL,
  posted_at timestamptz NOT NULL,
  PRIMARY KEY (channel, ts)
);
---
CREATE INDEX card_by_ref ON card (ref);
---
CREATE TABLE outbox (
  id bigserial PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  payload jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  not_before timestamptz NOT NULL DEFAULT clock_timestamp(),
  attempts int NOT NULL DEFAULT 0,
  error text
);
---
CREATE TABLE log_entry (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  agent text,
  ref text,
  body text NOT NULL
);
---
CREATE INDEX log_entry_by_ref ON log_entry (ref, id);
---
CREATE TABLE log_chain (
  seq bigint PRIMARY KEY,
  entry_id bigint NOT NULL UNIQUE REFERENCES log_entry (id),
  hash bytea NOT NULL
);
---
-- Committed with its entry, gone once the sequencer has numbered it.
CREATE TABLE log_unnumbered (
  entry_id bigint PRIMARY KEY REFERENCES log_entry (id)
);
---
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log is append-only: % of % refused', TG_OP, TG_TABLE_NAME;
END $$;
---
CREATE TRIGGER log_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
---
CREATE TRIGGER log_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_chain
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
---
-- RFC 8785 form of a document whose numbers are integers (other figures enter the log as strings).
-- Keys are compared as bytes, which equals UTF-16 order for the ASCII keys the log uses.
CREATE FUNCTION jcs(p jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE jsonb_typeof(p)
    WHEN 'object' THEN
      RETURN '{' || coalesce((SELECT string_agg(to_json(key)::text || ':' || jcs(value), ',' ORDER BY key COLLATE "C")
        FROM jsonb_each(p)), '') || '}';
    WHEN 'array' THEN
      RETURN '[' || coalesce((SELECT string_agg(jcs(value), ',' ORDER BY n)
        FROM jsonb_array_elements(p) WITH ORDINALITY AS e (value, n)), '') || ']';
    WHEN 'number' THEN
      IF (p #>> '{}')::numeric % 1 <> 0 OR abs((p #>> '{}')::numeric) > 9007199254740991 THEN
        RAISE EXCEPTION 'a number in the log is an exact integer or a string, not %', p;
      END IF;
      RETURN trunc((p #>> '{}')::numeric)::text;
    WHEN 'string' THEN
      RETURN to_json(p #>> '{}')::text;
    ELSE
      RETURN p::text;
  END CASE;
END $$;
---
CREATE FUNCTION iso(p timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(p AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
---
-- One entry, committed with what it records and numbered later by sequence_log().
CREATE FUNCTION log_append(p_kind text, p_agent text, p_ref text, p_at timestamptz, p_actor text, p_data jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := nextval('log_entry_id_seq');
BEGIN
  INSERT INTO log_entry (id, at, kind, agent, ref, body)
  VALUES (v_id, p_at, p_kind, p_agent, p_ref, jcs(jsonb_strip_nulls(jsonb_build_object(
    'v', 1, 'id', v_id, 'at', iso(p_at), 'kind', p_kind, 'agent', p_agent, 'ref', p_ref, 'actor', p_actor,
    'data', p_data))));
  INSERT INTO log_unnumbered (entry_id) VALUES (v_id);
END $$;
---
-- Numbers and chains what is committed and not yet numbered: hash(n) = SHA-256(hash(n-1) || SHA-256(body)).
-- The caller holds the sequencer's lock. Returns how many it numbered.
CREATE FUNCTION sequence_log(p_most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_seq bigint;
  v_hash bytea;
  v_count int := 0;
  e record;
BEGIN
  IF NOT pg_try_advisory_xact_lock(727002) THEN RETURN 0; END IF;
  SELECT seq, hash INTO v_seq, v_hash FROM log_chain ORDER BY seq DESC LIMIT 1;
  v_seq := coalesce(v_seq, 0);
  v_hash := coalesce(v_hash, decode(repeat('00', 32), 'hex'));
  FOR e IN
    SELECT l.id, l.body FROM log_unnumbered u JOIN log_entry l ON l.id = u.entry_id ORDER BY l.id LIMIT p_most
  LOOP
    v_seq := v_seq + 1;
    v_hash := sha256(v_hash || sha256(convert_to(e.body, 'UTF8')));
    INSERT INTO log_chain (seq, entry_id, hash) VALUES (v_seq, e.id, v_hash);
    DELETE FROM log_unnumbered WHERE entry_id = e.id;
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;
---
-- The gate: every write begins under its shared lock, every change of what is in force takes it alone.
CREATE FUNCTION gate_key() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 727001::bigint $$;
---
CREATE FUNCTION raise_epoch() RETURNS bigint LANGUAGE sql AS $$
  UPDATE installation SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch
$$;
---
CREATE FUNCTION switched_off(p_agent text, p_tool text, p_kind text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM switch WHERE disabled AND (p_kind = 'write' OR reads)
    AND scope IN ('everything', 'agent/' || p_agent, 'tool/' || p_agent || '/' || p_tool))
$$;
---
-- The one way an action changes state: compare-and-set on (state, revision) with its log entry and, where people
-- or a workflow must follow, an outbox entry. Returns false when the row was no longer as expected.
CREATE FUNCTION move_action(p_id uuid, p_from text, p_revision int, p_to text, p_kind text, p_at timestamptz,
  p_actor text, p_data jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  a action;
BEGIN
  UPDATE action SET state = p_to, revision = revision + 1
  WHERE id = p_id AND state = p_from AND revision = p_revision RETURNING * INTO a;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM log_append(p_kind, a.agent, a.id::text, p_at, p_actor,
    p_data || jsonb_build_object('from', p_from, 'to', p_to, 'revision', a.revision));
  IF a.kind = 'write' AND (a.decided_by IS DISTINCT FROM 'policy' OR p_to = 'unknown') THEN
    INSERT INTO outbox (topic, key) VALUES ('action', a.id::text);
  END IF;
  RETURN true;
END $$;
---
-- Records asks and their decisions before they are answered: one row of `status` per ask, in order.
-- 'stale': the epoch moved since the decision was made, decide again. 'subject': its key is gone, make a new one.
CREATE FUNCTION ask_actions(p_asks jsonb, p_now timestamptz)
RETURNS TABLE (n int, status text, id uuid) LANGUAGE plpgsql AS $$
DECLARE
  v_epoch bigint;
  v_n int := 0;
  k jsonb;
  r action;
  m text;
BEGIN
  SELECT i.epoch INTO v_epoch FROM installation i;
  FOR k IN SELECT value FROM jsonb_array_elements(p_asks) LOOP
    v_n := v_n + 1;
    n := v_n;
    SELECT * INTO r FROM action a WHERE a.agent = k ->> 'agent' AND a.idempotency_key = k ->> 'idempotency_key';
    IF FOUND THEN
      status := CASE WHEN r.request_digest = k ->> 'request_digest' THEN 'known' ELSE 'conflict' END;
      id := r.id;
      RETURN NEXT;
      CONTINUE;
    END IF;
    id := NULL;
    IF (k ->> 'epoch')::bigint <> v_epoch THEN
      status := 'stale';
      RETURN NEXT;
      CONTINUE;
    END IF;
    PERFORM 1 FROM subject s WHERE s.id = (k ->> 'subject_id')::bigint FOR KEY SHARE;
    IF NOT FOUND THEN
      status := 'subject';
      RETURN NEXT;
      CONTINUE;
    END IF;
    r := jsonb_populate_record(NULL::action, k);
    INSERT INTO action SELECT (r).* ON CONFLICT (agent, idempotency_key) DO NOTHING;
    IF NOT FOUND THEN
      status := 'stale';
      RETURN NEXT;
      CONTINUE;
    END IF;
    INSERT INTO action_private (action_id, args, context, salt)
    VALUES (r.id, k ->> 'args', k ->> 'claimed', decode(k ->> 'salt', 'hex'));
    PERFORM log_append('action.asked', r.agent, r.id::text, r.asked_at, r.asked_by, k -> 'entry');
    FOR m IN SELECT value FROM jsonb_array_elements_text(coalesce(k -> 'metrics', '[]')) LOOP
      PERFORM start_event(r, m);
    END LOOP;
    IF r.state = 'pending' THEN
      INSERT INTO outbox (topic, key) VALUES ('action', r.id::text);
    END IF;
    status := 'asked';
    id := r.id;
    RETURN NEXT;
  END LOOP;
END $$;
---
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
---
-- Whether what the action was asked under still holds; the word says what does not.
CREATE FUNCTION standing_of(a action) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  s rollout_segment;
  v_release text;
BEGIN
  IF switched_off(a.agent, a.tool, a.kind) THEN RETURN 'disabled'; END IF;
  SELECT release INTO v_release FROM in_force f WHERE f.agent = a.agent AND f.segment IN (a.segment, 'default')
  ORDER BY (f.segment = a.segment) DESC LIMIT 1;
  IF a.arm = 'control' OR a.release = v_release THEN
    IF a.release IS DISTINCT FROM v_release THEN RETURN 'new_release'; END IF;
  ELSE
    SELECT * INTO s FROM rollout_segment r WHERE r.rollout_id = a.rollout_id AND r.segment = a.segment;
    IF NOT FOUND OR s.state <> 'exposed' OR s.generation <> a.generation OR a.bucket >= s.exposure THEN
      RETURN 'rolled_back';
    END IF;
    IF EXISTS (SELECT 1 FROM rollout o WHERE o.id = a.rollout_id AND o.ended_at IS NOT NULL) THEN
      RETURN 'new_release';
    END IF;
  END IF;
  IF a.decided_by = 'person' AND (SELECT count(*) FROM decision d JOIN agent_approver p
      ON p.agent = a.agent AND p.grp = a.approval ->> 'group' AND p.person = d.person
      WHERE d.action_id = a.id AND d.verdict = 'approve') < (a.approval ->> 'quorum')::int THEN
    RETURN 'approver_lost_standing';
  END IF;
  RETURN 'stands';
END $$;
---
-- Reserves one use in every period the grant limits; false, and nothing is used, when one of them is full.
CREATE FUNCTION reserve_limits(a action, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  l record;
  v_used int;
BEGIN
  IF a.limits = '{}' THEN RETURN true; END IF;
  FOR l IN SELECT * FROM (VALUES ('hour', (a.limits ->> 'perHour')::int), ('day', (a.limits ->> 'perDay')::int))
      AS v (period, most) WHERE most IS NOT NULL LOOP
    INSERT INTO limit_use AS u (agent, release, grant_name, period, starts_at, used)
    VALUES (a.agent, a.release, a.grant_name, l.period, date_trunc(l.period, p_now), 0)
    ON CONFLICT (agent, release, grant_name, period, starts_at) DO UPDATE SET used = u.used RETURNING used INTO v_used;
    IF v_used >= l.most THEN RETURN false; END IF;
  END LOOP;
  UPDATE limit_use u SET used = u.used + 1
  WHERE u.agent = a.agent AND u.release = a.release AND u.grant_name = a.grant_name
    AND ((u.period = 'hour' AND a.limits ? 'perHour') OR (u.period = 'day' AND a.limits ? 'perDay'))
    AND u.starts_at = date_trunc(u.period, p_now);
  RETURN true;
END $$;
---
-- The moment of the write, once. Answers a status: 'begun', 'again' (same execution, still in time), or why not.
CREATE FUNCTION begin_action(p_id uuid, p_agent text, p_execution text, p_now timestamptz, p_actor text,
  p_start_ms int, p_deadline_ms int)
RETURNS TABLE (status text, state text, a jsonb) LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  r action;
  v_standing text;
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
    v_standing := standing_of(r);
    IF v_standing = 'disabled' THEN
      status := 'disabled';
      PERFORM move_action(r.id, r.state, r.revision, 'disabled', 'action.disabled', p_now, 'policy', '{}');
    ELSIF v_standing <> 'stands' THEN
      status := v_standing;
      UPDATE action SET superseded_because = v_standing WHERE action.id = r.id;
      PERFORM move_action(r.id, r.state, r.revision, 'superseded', 'action.superseded', p_now, 'policy',
        jsonb_build_object('because', v_standing));
    ELSIF NOT reserve_limits(r, p_now) THEN
      status := 'limit_reached';
    ELSE
      status := 'begun';
      UPDATE action SET execution_id = p_execution, began_at = p_now,
        start_by = p_now + make_interval(secs => p_start_ms / 1000.0),
        deadline_at = p_now + make_interval(secs => p_deadline_ms / 1000.0)
      WHERE action.id = r.id;
      PERFORM move_action(r.id, 'approved', r.revision, 'executing', 'action.begun', p_now, p_actor,
        jsonb_build_object('execution', p_execution, 'epoch', (SELECT epoch FROM installation)));
    END IF;
  END IF;
  SELECT x.* INTO r FROM action x WHERE x.id = p_id;
  RETURN QUERY SELECT begin_action.status, r.state, to_jsonb(r);
END $$;
---
-- Stores the credential just minted and checks again: false when a stop came in between (then it is revoked at once).
CREATE FUNCTION store_credential(p_jti uuid, p_id uuid, p_execution text, p_now timestamptz, p_expires timestamptz)
RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  r action;
  v_ok boolean;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(gate_key());
  SELECT * INTO r FROM action x WHERE x.id = p_id FOR UPDATE;
  v_ok := r.state = 'executing' AND r.execution_id = p_execution AND standing_of(r) = 'stands';
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
---
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
    UPDATE action SET superseded_because = CASE WHEN p_to = 'superseded' THEN p_because END WHERE action.id = r.id;
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
-- The emergency disable: waits for the gate alone, closes it, voids what waited, lists what had begun.
-- The API, the CLI's DATABASE_URL way and the runbook's psql all call this one function:
--   SELECT disable_switch('everything', false, 'why', 'who', clock_timestamp());
CREATE FUNCTION disable_switch(p_scope text, p_reads boolean, p_reason text, p_actor text, p_now timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  v_epoch bigint;
  v_agent text := CASE WHEN p_scope = 'everything' THEN NULL ELSE split_part(p_scope, '/', 2) END;
  v_tool text := CASE WHEN p_scope LIKE 'tool/%' THEN split_part(p_scope, '/', 3) END;
  v_voided int;
  v_flight jsonb;
BEGIN
  IF p_scope !~ '^(everything|agent/[^/]+|tool/[^/]+/[^/]+)$' THEN
    RAISE EXCEPTION 'scope "%" is not everything, agent/<agent> or tool/<agent>/<tool>', p_scope USING ERRCODE = '22023';
  END IF;
  IF coalesce(p_reason, '') = '' THEN
    RAISE EXCEPTION 'a reason is needed' USING ERRCODE = '22023';
  END IF;
  IF v_agent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM agent WHERE name = v_agent
      AND (v_tool IS NULL OR manifest -> 'tools' ? v_tool)) THEN
    RAISE EXCEPTION 'there is no %', replace(p_scope, '/', ' ') USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(gate_key());
  v_epoch := raise_epoch();
  INSERT INTO switch AS s (scope, disabled, reads, reason, actor, changed_at, epoch)
  VALUES (p_scope, true, p_reads, p_reason, p_actor, p_now, v_epoch)
  ON CONFLICT (scope) DO UPDATE SET disabled = true, reads = p_reads OR (s.disabled AND s.reads), reason = p_reason,
    actor = p_actor, changed_at = p_now, epoch = v_epoch, enable_asked_by = NULL;
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
-- Opens the gate again. An agent or a tool takes one person and a reason, everything takes two different people.
CREATE FUNCTION enable_switch(p_scope text, p_reason text, p_actor text, p_now timestamptz)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  s switch;
  v_epoch bigint;
  v_agent text := CASE WHEN p_scope = 'everything' THEN NULL ELSE split_part(p_scope, '/', 2) END;
BEGIN
  PERFORM pg_advisory_xact_lock(gate_key());
  SELECT * INTO s FROM switch x WHERE x.scope = p_scope FOR UPDATE;
  IF NOT FOUND OR NOT s.disabled THEN RETURN jsonb_build_object('status', 'already_enabled'); END IF;
  IF p_scope = 'everything' AND coalesce(s.enable_asked_by, p_actor) = p_actor THEN
    UPDATE switch SET enable_asked_by = p_actor WHERE scope = p_scope;
    PERFORM log_append('switch.enable_asked', NULL, p_scope, p_now, p_actor,
      jsonb_build_object('scope', p_scope, 'reason', p_reason));
    RETURN jsonb_build_object('status', 'second_person_needed', 'askedBy', p_actor);
  END IF;
  v_epoch := raise_epoch();
  UPDATE switch SET disabled = false, reads = false, reason = p_reason, actor = p_actor, changed_at = p_now,
    epoch = v_epoch, enable_asked_by = NULL WHERE scope = p_scope;
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
