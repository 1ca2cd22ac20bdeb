-- Several groups and stages, edits, standing approvals, breaking the glass, autonomy that is earned.
ALTER TABLE action
  ADD COLUMN round int NOT NULL DEFAULT 0,
  ADD COLUMN stage int NOT NULL DEFAULT 0,
  ADD COLUMN routed jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN risk text NOT NULL DEFAULT 'high' CHECK (risk IN ('low', 'medium', 'high')),
  ADD COLUMN reminders int NOT NULL DEFAULT 0,
  ADD COLUMN reach jsonb,
  ADD COLUMN standing_id uuid,
  ADD COLUMN standing_wish jsonb,
  ADD COLUMN break_glass boolean NOT NULL DEFAULT false,
  ADD COLUMN reviewed_by text,
  ADD COLUMN reviewed_at timestamptz,
  ADD COLUMN review jsonb,
  ADD COLUMN earned boolean NOT NULL DEFAULT false,
  ALTER COLUMN behind TYPE jsonb USING CASE WHEN behind IS NULL THEN '[]'::jsonb ELSE jsonb_build_array(behind) END,
  ALTER COLUMN behind SET DEFAULT '[]',
  ALTER COLUMN behind SET NOT NULL;
---
UPDATE action SET approval = jsonb_strip_nulls(jsonb_build_object(
  'stages', jsonb_build_array(jsonb_build_array(jsonb_build_object('group', approval -> 'group', 'quorum', approval -> 'quorum'))),
  'expiresIn', approval -> 'expiresIn', 'remindAfter', approval -> 'remindAfter', 'reason', 'optional',
  'slackApproves', 'any', 'notify', 'channel', 'escalate', '[]'::jsonb, 'standing', 'forbidden'))
WHERE approval ? 'group';
---
ALTER TABLE action_private ADD COLUMN attributes text NOT NULL DEFAULT '{}';
---
-- The arguments as they were before each edit; erased like the arguments themselves.
CREATE TABLE action_edit (
  action_id uuid NOT NULL REFERENCES action (id),
  round int NOT NULL,
  editor text NOT NULL,
  at timestamptz NOT NULL,
  via text NOT NULL,
  identity text NOT NULL,
  reason text,
  args_before text,
  digest_before text NOT NULL,
  PRIMARY KEY (action_id, round)
);
---
ALTER TABLE decision
  ADD COLUMN round int NOT NULL DEFAULT 0,
  ADD COLUMN stage int NOT NULL DEFAULT 0,
  ADD COLUMN for_person text,
  ADD COLUMN deputy_id uuid,
  ADD COLUMN options jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN slot text,
  ADD COLUMN grp text,
  ADD COLUMN shown_at timestamptz,
  DROP CONSTRAINT decision_pkey,
  ADD PRIMARY KEY (action_id, round, person);
---
UPDATE decision d SET for_person = d.person, grp = g.name, slot = '0/' || g.name,
  options = jsonb_build_array(jsonb_build_object('slot', '0/' || g.name, 'group', g.name))
FROM (SELECT a.id, a.approval #>> '{stages,0,0,group}' AS name FROM action a) AS g
WHERE g.id = d.action_id AND d.verdict = 'approve';
---
UPDATE decision SET for_person = person WHERE for_person IS NULL;
---
ALTER TABLE decision ALTER COLUMN for_person SET NOT NULL;
---
-- Who of whom: null times are without end. Groups of the manifest are written by apply, the others by their sources.
ALTER TABLE agent_approver
  DROP CONSTRAINT agent_approver_pkey,
  ADD COLUMN from_at timestamptz,
  ADD COLUMN until_at timestamptz,
  ADD COLUMN via text NOT NULL DEFAULT 'manifest';
---
CREATE INDEX agent_approver_by_group ON agent_approver (agent, grp, person);
---
CREATE TABLE group_source (
  agent text NOT NULL REFERENCES agent (name),
  grp text NOT NULL,
  kind text NOT NULL,
  fetched_at timestamptz,
  fresh_until timestamptz,
  error text,
  unknown jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (agent, grp)
);
---
CREATE TABLE deputy (
  id uuid PRIMARY KEY,
  agent text NOT NULL REFERENCES agent (name),
  from_person text NOT NULL,
  to_person text NOT NULL,
  grp text,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL CHECK (ends_at > starts_at),
  reason text NOT NULL,
  created_at timestamptz NOT NULL,
  created_by text NOT NULL,
  revoked_at timestamptz,
  revoked_by text
);
---
CREATE INDEX deputy_by_agent ON deputy (agent, to_person);
---
-- "The like, for the next hour, at most five times": approved by the people who decided on one action in one round.
CREATE TABLE standing_approval (
  id uuid PRIMARY KEY,
  agent text NOT NULL REFERENCES agent (name),
  tool text NOT NULL,
  grant_name text NOT NULL,
  release text NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  generation int,
  action_id uuid NOT NULL REFERENCES action (id),
  round int NOT NULL,
  envelope text NOT NULL,
  max_uses int NOT NULL CHECK (max_uses BETWEEN 1 AND 100),
  used int NOT NULL DEFAULT 0 CHECK (used <= max_uses),
  starts_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  created_by text NOT NULL,
  ended_at timestamptz,
  ended_because text,
  ended_by text
);
---
CREATE INDEX standing_approval_live ON standing_approval (agent, tool) WHERE ended_at IS NULL;
---
CREATE TABLE autonomy (
  agent text NOT NULL REFERENCES agent (name),
  release text NOT NULL,
  grant_name text NOT NULL,
  tool text NOT NULL,
  segment text NOT NULL,
  agent_version text NOT NULL,
  state text NOT NULL CHECK (state IN ('ask', 'proposed', 'allow')),
  evidence jsonb NOT NULL DEFAULT '{}',
  -- What was asked before does not count any more: people refused or took back what it carried.
  evidence_from timestamptz,
  changed_at timestamptz NOT NULL,
  changed_by text NOT NULL,
  PRIMARY KEY (agent, release, grant_name, tool, segment, agent_version)
);
---
CREATE INDEX action_by_grant ON action (agent, release, grant_name, tool) WHERE kind = 'write';
---
-- An incident takes back what was earned where it happened; what was allowed by it does not begin any more.
CREATE FUNCTION end_autonomy_with_incident() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  u autonomy;
BEGIN
  FOR u IN UPDATE autonomy x SET state = 'ask', changed_at = NEW.opened_at, changed_by = NEW.opened_by
    WHERE x.agent = NEW.agent AND x.state <> 'ask' AND (NEW.segment IS NULL OR x.segment = NEW.segment) RETURNING * LOOP
    PERFORM log_append('autonomy.taken_back', u.agent, u.agent || '/' || u.release || '/' || u.grant_name, NEW.opened_at,
      NEW.opened_by, jsonb_build_object('tool', u.tool, 'segment', u.segment, 'agentVersion', u.agent_version,
      'because', 'incident', 'incident', NEW.id));
  END LOOP;
  RETURN NULL;
END $$;
---
CREATE TRIGGER incident_ends_autonomy AFTER INSERT ON incident
  FOR EACH ROW EXECUTE FUNCTION end_autonomy_with_incident();
---
-- When a person first saw an action on a surface that knows who looks.
CREATE TABLE seen (
  action_id uuid NOT NULL REFERENCES action (id),
  person text NOT NULL,
  at timestamptz NOT NULL,
  via text NOT NULL,
  PRIMARY KEY (action_id, person)
);
---
-- What a card said at each version of its record; erased with the arguments.
CREATE TABLE card_text (
  action_id uuid NOT NULL REFERENCES action (id),
  version int NOT NULL,
  text text,
  PRIMARY KEY (action_id, version)
);
---
-- The signed proof of each decision. The text and its salt are erased with the arguments, the signature stays.
CREATE TABLE receipt (
  id bigserial PRIMARY KEY,
  action_id uuid NOT NULL REFERENCES action (id),
  round int NOT NULL,
  person text NOT NULL,
  verdict text NOT NULL,
  jws text NOT NULL,
  shown text,
  salt bytea,
  at timestamptz NOT NULL
);
---
CREATE INDEX receipt_by_action ON receipt (action_id, id);
---
DROP FUNCTION standing_of(action);
---
-- Whether those whose decisions carry an approval may still give it; the word says what does not hold. A member counts
-- who was one when deciding, by what is known of the group now; what is known must not be stale.
CREATE FUNCTION approvers_stand(p_action uuid, p_round int, p_break_glass boolean, p_now timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  a action;
  v_people jsonb;
BEGIN
  SELECT * INTO a FROM action x WHERE x.id = p_action;
  SELECT manifest INTO v_people FROM agent g WHERE g.name = a.agent;
  IF EXISTS (SELECT 1 FROM decision d JOIN group_source s ON s.agent = a.agent AND s.grp = d.grp
      WHERE d.action_id = p_action AND d.round = p_round AND d.slot IS NOT NULL
        AND coalesce(s.fresh_until, '-infinity') <= p_now) THEN
    RETURN 'group_stale';
  END IF;
  IF EXISTS (
    WITH valid AS (
      SELECT d.slot FROM decision d
      WHERE d.action_id = p_action AND d.round = p_round AND d.verdict = 'approve'
        AND EXISTS (SELECT 1 FROM agent_approver m WHERE m.agent = a.agent AND m.grp = d.grp AND m.person = d.for_person
          AND coalesce(m.from_at, '-infinity') <= d.at AND coalesce(m.until_at, 'infinity') > d.at)
        AND NOT EXISTS (SELECT 1 FROM deputy u WHERE u.id = d.deputy_id AND u.revoked_at IS NOT NULL)
        AND v_people -> 'people' ? d.person
        AND (coalesce((v_people ->> 'testMode')::boolean, false)
          OR NOT (v_people -> 'owners' ? d.person OR coalesce(v_people -> 'deployers', '[]') ? d.person))
    ), wanted AS (
      SELECT (n.stage - 1) || '/' || (e ->> 'group') AS slot, (e ->> 'quorum')::int AS quorum
      FROM jsonb_array_elements(a.approval -> 'stages') WITH ORDINALITY AS n (needs, stage),
        jsonb_array_elements(n.needs) AS e
      WHERE NOT p_break_glass
      UNION ALL SELECT 'break-glass', 1 WHERE p_break_glass
    )
    SELECT 1 FROM wanted w WHERE (SELECT count(*) FROM valid v WHERE v.slot = w.slot) < w.quorum
  ) THEN
    RETURN 'approver_lost_standing';
  END IF;
  RETURN 'stands';
END $$;
---
-- Whether what the action was asked under still holds; the word says what does not.
CREATE FUNCTION standing_of(a action, p_now timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  s rollout_segment;
  v_release text;
  v_approval standing_approval;
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
  IF a.earned AND NOT EXISTS (SELECT 1 FROM autonomy u WHERE u.agent = a.agent AND u.release = a.release
      AND u.grant_name = a.grant_name AND u.tool = a.tool AND u.segment = a.segment AND u.agent_version = a.agent_version
      AND u.state = 'allow') THEN
    RETURN 'autonomy_lost';
  END IF;
  IF a.standing_id IS NOT NULL THEN
    SELECT * INTO v_approval FROM standing_approval x WHERE x.id = a.standing_id;
    IF v_approval.ended_at IS NOT NULL AND v_approval.ended_because NOT IN ('spent', 'expired') THEN
      RETURN 'standing_approval_ended';
    END IF;
    RETURN approvers_stand(v_approval.action_id, v_approval.round, false, p_now);
  END IF;
  IF a.decided_by = 'person' THEN RETURN approvers_stand(a.id, a.round, a.break_glass, p_now); END IF;
  RETURN 'stands';
END $$;
---
-- One use of a standing approval, if it is live: committed with the action that used it.
CREATE FUNCTION use_standing_approval(p_id uuid, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_action uuid;
BEGIN
  UPDATE standing_approval s SET used = s.used + 1,
    ended_at = CASE WHEN s.used + 1 >= s.max_uses THEN p_now END,
    ended_because = CASE WHEN s.used + 1 >= s.max_uses THEN 'spent' END
  WHERE s.id = p_id AND s.ended_at IS NULL AND s.used < s.max_uses AND s.expires_at > p_now
  RETURNING s.action_id INTO v_action;
  IF v_action IS NULL THEN RETURN false; END IF;
  -- The card it was given on says how often it was used.
  INSERT INTO outbox (topic, key) VALUES ('action', v_action::text);
  RETURN true;
END $$;
---
-- Records asks and their decisions before they are answered: one row of `status` per ask, in order.
-- 'stale': the epoch moved since the decision was made, decide again. 'subject': its key is gone, make a new one.
CREATE OR REPLACE FUNCTION ask_actions(p_asks jsonb, p_now timestamptz)
RETURNS TABLE (n int, status text, id uuid) LANGUAGE plpgsql AS $$
DECLARE
  v_epoch bigint;
  v_n int := 0;
  k jsonb;
  r action;
  m text;
BEGIN
  SELECT i.epoch INTO v_epoch FROM installation i;
  -- In the order of whoever rolls back or ends standing approvals: rollouts first, then standing approvals by id.
  IF p_asks @? '$[*] ? (@.standing_id != null)' THEN
    PERFORM 1 FROM rollout o WHERE o.id IN (SELECT e ->> 'rollout_id' FROM jsonb_array_elements(p_asks) e)
    ORDER BY o.id FOR KEY SHARE;
    PERFORM 1 FROM standing_approval s
    WHERE s.id IN (SELECT (e ->> 'standing_id')::uuid FROM jsonb_array_elements(p_asks) e) ORDER BY s.id FOR UPDATE;
  END IF;
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
    IF r.standing_id IS NOT NULL AND NOT use_standing_approval(r.standing_id, p_now) THEN
      status := 'stale';
      RETURN NEXT;
      CONTINUE;
    END IF;
    INSERT INTO action SELECT (r).* ON CONFLICT (agent, idempotency_key) DO NOTHING;
    IF NOT FOUND THEN
      -- Another process recorded the same key: its use of the standing approval is not counted twice.
      UPDATE standing_approval s SET used = s.used - 1,
        ended_at = CASE WHEN s.ended_because = 'spent' THEN NULL ELSE s.ended_at END,
        ended_because = CASE WHEN s.ended_because = 'spent' THEN NULL ELSE s.ended_because END
      WHERE s.id = r.standing_id;
      status := 'stale';
      RETURN NEXT;
      CONTINUE;
    END IF;
    INSERT INTO action_private (action_id, args, context, attributes, salt)
    VALUES (r.id, k ->> 'args', k ->> 'claimed', k ->> 'attributes', decode(k ->> 'salt', 'hex'));
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
-- The moment of the write, once. Answers a status: 'begun', 'again' (same execution, still in time), or why not.
CREATE OR REPLACE FUNCTION begin_action(p_id uuid, p_agent text, p_execution text, p_now timestamptz, p_actor text,
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
    v_standing := standing_of(r, p_now);
    IF v_standing = 'disabled' THEN
      status := 'disabled';
      PERFORM move_action(r.id, r.state, r.revision, 'disabled', 'action.disabled', p_now, 'policy', '{}');
    ELSIF v_standing = 'group_stale' THEN
      -- Nobody knows who is in the group: not now, and nothing is void.
      status := v_standing;
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
CREATE OR REPLACE FUNCTION store_credential(p_jti uuid, p_id uuid, p_execution text, p_now timestamptz, p_expires timestamptz)
RETURNS boolean LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$
DECLARE
  r action;
  v_ok boolean;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(gate_key());
  SELECT * INTO r FROM action x WHERE x.id = p_id FOR UPDATE;
  v_ok := r.state = 'executing' AND r.execution_id = p_execution AND standing_of(r, p_now) = 'stands';
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
-- What deciding takes to know, with the action held until the end of the transaction: what was answered already, and who
-- is what, from when to when, as far as it is about whoever goes by p_person, p_slack or p_email. One question, because it
-- stands between a tap and its commit.
CREATE FUNCTION action_to_decide(p_id uuid, p_person text, p_slack text, p_email text, p_card_version int,
  OUT a action, OUT manifest jsonb, OUT members jsonb, OUT deputies jsonb, OUT sources jsonb, OUT editors jsonb,
  OUT answers jsonb, OUT looked_at timestamptz, OUT posted_at timestamptz, OUT card_text text)
RETURNS SETOF record LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_people text[];
BEGIN
  SELECT * INTO a FROM action x WHERE x.id = p_id FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  -- A statement of its own: it sees what was committed while the first one waited for the lock.
  SELECT g.manifest, ARRAY(SELECT e.key FROM jsonb_each(g.manifest -> 'people') e
    WHERE e.key = p_person OR e.value ->> 'slack' = p_slack OR lower(e.value ->> 'email') = p_email)
  INTO manifest, v_people FROM agent g WHERE g.name = a.agent;
  SELECT
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'from', d.from_person, 'to', d.to_person, 'group', d.grp,
        'startsAt', d.starts_at, 'endsAt', d.ends_at) ORDER BY d.starts_at, d.id)
      FROM deputy d WHERE d.agent = a.agent AND d.to_person = ANY (v_people) AND d.revoked_at IS NULL), '[]'),
    coalesce((SELECT jsonb_agg(jsonb_build_object('group', s.grp, 'endsAt', s.fresh_until))
      FROM group_source s WHERE s.agent = a.agent AND s.fresh_until IS NOT NULL), '[]'),
    coalesce((SELECT jsonb_agg(e.editor) FROM action_edit e WHERE e.action_id = a.id), '[]'),
    coalesce((SELECT jsonb_agg(jsonb_build_object('person', n.person, 'verdict', n.verdict, 'for', n.for_person,
        'stage', n.stage, 'options', n.options) ORDER BY n.at, n.person)
      FROM decision n WHERE n.action_id = a.id AND n.round = a.round), '[]'),
    (SELECT min(n.at) FROM seen n WHERE n.action_id = a.id AND n.person = ANY (v_people)),
    (SELECT min(c.posted_at) FROM card c WHERE c.ref = a.id::text),
    (SELECT t.text FROM card_text t WHERE t.action_id = a.id AND t.version = p_card_version)
  INTO deputies, sources, editors, answers, looked_at, posted_at, card_text;
  SELECT coalesce(jsonb_agg(jsonb_build_object('group', m.grp, 'person', m.person, 'startsAt', m.from_at,
      'endsAt', m.until_at) ORDER BY m.grp, m.person), '[]')
  INTO members FROM agent_approver m
  WHERE m.agent = a.agent
    AND (m.person = ANY (v_people) OR deputies @> jsonb_build_array(jsonb_build_object('from', m.person)));
  RETURN NEXT;
END $$;
---
-- Writes an answer and its receipt. p_filled: the slots of earlier answers that are known now that the stage is filled.
-- p_end: people ended the wait by it, with `state` approved or denied; then the row as it is now is given back, and what
-- it says of `metrics` is known.
CREATE FUNCTION record_answer(p_answer jsonb, p_filled jsonb, p_receipt jsonb, p_end jsonb) RETURNS SETOF action
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  n decision := jsonb_populate_record(NULL::decision, p_answer);
  v_to text := p_end ->> 'state';
  a action;
  m text;
BEGIN
  DELETE FROM decision d WHERE d.action_id = n.action_id AND d.round = n.round AND d.person = n.person;
  INSERT INTO decision SELECT n.*;
  IF p_filled <> '[]' THEN
    UPDATE decision d SET slot = f.slot, grp = f.grp
    FROM jsonb_to_recordset(p_filled) AS f (person text, slot text, grp text)
    WHERE d.action_id = n.action_id AND d.round = n.round AND d.person = f.person;
  END IF;
  INSERT INTO receipt (action_id, round, person, verdict, jws, shown, salt, at)
  VALUES (n.action_id, n.round, n.person, n.verdict, p_receipt ->> 'jws', p_receipt ->> 'text',
    decode(p_receipt ->> 'salt', 'hex'), n.at);
  IF p_end IS NULL THEN RETURN; END IF;
  UPDATE action x SET decided_by = 'person', decided_at = n.at, break_glass = v_to = 'approved' AND p_end -> 'data' ? 'breakGlass',
    deny_reason = CASE WHEN v_to = 'denied' THEN n.reason END
  WHERE x.id = n.action_id RETURNING x.* INTO a;
  IF NOT move_action(a.id, 'pending', a.revision, v_to, 'action.' || v_to, n.at, n.person, p_end -> 'data') THEN
    RAISE EXCEPTION 'action % does not wait', a.id;
  END IF;
  FOR m IN SELECT value FROM jsonb_array_elements_text(p_end -> 'metrics') LOOP
    PERFORM know_event(a, m, (v_to = 'denied')::int, n.at);
  END LOOP;
  RETURN QUERY SELECT * FROM action x WHERE x.id = a.id;
END $$;
---
-- Ends the live standing approvals of a slice (null means any) and says why. Returns how many. Locks them in the order
-- of their ids, as ask_actions does: two that wait for each other would cost a stop a second, or the stop itself.
CREATE FUNCTION end_standing_approvals(p_agent text, p_tool text, p_segment text, p_because text,
  p_now timestamptz, p_actor text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  s standing_approval;
  v_count int := 0;
BEGIN
  FOR s IN SELECT * FROM standing_approval x
    WHERE x.ended_at IS NULL AND (p_agent IS NULL OR x.agent = p_agent) AND (p_tool IS NULL OR x.tool = p_tool)
      AND (p_segment IS NULL OR x.segment = p_segment)
    ORDER BY x.id FOR UPDATE LOOP
    UPDATE standing_approval x SET ended_at = p_now, ended_because = p_because, ended_by = p_actor WHERE x.id = s.id;
    v_count := v_count + 1;
    PERFORM log_append('standing_approval.ended', s.agent, s.id::text, p_now, p_actor,
      jsonb_build_object('because', p_because, 'used', s.used, 'of', s.max_uses));
    INSERT INTO outbox (topic, key) VALUES ('action', s.action_id::text);
  END LOOP;
  RETURN v_count;
END $$;
---
-- Whoever changes what a standing approval rests on, by whatever way, ends it in the same transaction.
CREATE FUNCTION end_standing_with_switch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.disabled THEN
    PERFORM end_standing_approvals(CASE WHEN NEW.scope <> 'everything' THEN split_part(NEW.scope, '/', 2) END,
      CASE WHEN NEW.scope LIKE 'tool/%' THEN split_part(NEW.scope, '/', 3) END, NULL, 'switch', NEW.changed_at,
      NEW.actor);
  END IF;
  RETURN NULL;
END $$;
---
CREATE TRIGGER switch_ends_standing AFTER INSERT OR UPDATE ON switch
  FOR EACH ROW EXECUTE FUNCTION end_standing_with_switch();
---
CREATE FUNCTION end_standing_with_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_standing_approvals(NEW.agent, NULL, NEW.segment, 'incident', NEW.opened_at, NEW.opened_by);
  RETURN NULL;
END $$;
---
CREATE TRIGGER incident_ends_standing AFTER INSERT ON incident
  FOR EACH ROW EXECUTE FUNCTION end_standing_with_incident();
---
CREATE FUNCTION end_standing_with_rollback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_agent text;
BEGIN
  SELECT agent INTO v_agent FROM rollout WHERE id = NEW.rollout_id;
  PERFORM end_standing_approvals(v_agent, NULL, NEW.segment, 'rolled_back', NEW.changed_at, 'rollback');
  RETURN NULL;
END $$;
---
CREATE TRIGGER rollback_ends_standing AFTER UPDATE ON rollout_segment
  FOR EACH ROW WHEN (NEW.state = 'rolled_back' AND OLD.state <> 'rolled_back')
  EXECUTE FUNCTION end_standing_with_rollback();
---
CREATE FUNCTION end_standing_with_phase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_standing_approvals(NEW.agent, NULL, NULL, 'phase_change',
    coalesce(NEW.ended_at, NEW.ticking_since, clock_timestamp()), 'rollout');
  RETURN NULL;
END $$;
---
CREATE TRIGGER phase_ends_standing AFTER UPDATE ON rollout
  FOR EACH ROW WHEN (NEW.step_index <> OLD.step_index OR (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL))
  EXECUTE FUNCTION end_standing_with_phase();
---
CREATE FUNCTION end_standing_with_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_standing_approvals(NEW.agent, NULL, NEW.segment, 'new_release', NEW.since, 'release');
  RETURN NULL;
END $$;
---
CREATE TRIGGER release_ends_standing AFTER UPDATE ON in_force
  FOR EACH ROW WHEN (NEW.release <> OLD.release) EXECUTE FUNCTION end_standing_with_release();
---
-- What statistics, reviews and reports of wrongly stopped writes look for.
CREATE INDEX action_asked_of_people ON action (asked_at) WHERE approval IS NOT NULL;
---
CREATE INDEX action_corrected ON action (corrected_at) WHERE corrected_at IS NOT NULL;
---
CREATE INDEX action_unreviewed ON action (decided_at) WHERE break_glass AND reviewed_at IS NULL;
---
CREATE INDEX decision_by_time ON decision (at);
---
CREATE INDEX action_edit_by_time ON action_edit (at);
---
-- What a card compares its arguments with: the last one like it that went ahead.
CREATE INDEX action_ahead ON action (agent, tool, segment, decided_at DESC, id)
  WHERE state IN ('approved', 'executing', 'executed');
---
CREATE INDEX standing_approval_by_action ON standing_approval (action_id);
---
-- Slack takes about one post a second in a channel. Every process takes its moments from here.
CREATE TABLE post_slot (
  channel text PRIMARY KEY,
  -- The earliest moment nobody has taken yet.
  next_at timestamptz NOT NULL
);
---
-- A moment of the caller's own, not before p_now and at least p_gap_ms after the one taken last; in the order of asking.
CREATE FUNCTION reserve_post(p_channel text, p_now timestamptz, p_gap_ms int) RETURNS timestamptz LANGUAGE sql AS $$
  INSERT INTO post_slot AS s (channel, next_at)
  VALUES (p_channel, p_now + p_gap_ms * interval '1 millisecond')
  ON CONFLICT (channel) DO UPDATE SET next_at = greatest(s.next_at, p_now) + p_gap_ms * interval '1 millisecond'
  RETURNING next_at - p_gap_ms * interval '1 millisecond'
$$;
---
-- The one way an action changes state: compare-and-set on (state, revision) with its log entry and, where people, a
-- workflow or the agent's own server must follow, outbox entries. Returns false when the row was no longer as expected.
CREATE OR REPLACE FUNCTION move_action(p_id uuid, p_from text, p_revision int, p_to text, p_kind text,
  p_at timestamptz, p_actor text, p_data jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
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
  -- That it begins, the agent knows: it began it.
  IF a.kind = 'write' AND p_to <> 'executing'
    AND EXISTS (SELECT 1 FROM agent g WHERE g.name = a.agent AND g.manifest #>> '{callback,url}' IS NOT NULL) THEN
    INSERT INTO outbox (topic, key, payload) VALUES ('callback', a.id || '/' || a.revision,
      jsonb_build_object('state', p_to, 'at', iso(p_at)));
  END IF;
  RETURN true;
END $$;
---
-- Posts that are to come, or whose answer is out: when each may be tried, and whether an earlier try may have arrived.
CREATE TABLE post (
  channel text NOT NULL,
  ref text NOT NULL,
  due_at timestamptz NOT NULL,
  -- Tries of which nobody knows whether they arrived.
  tries int NOT NULL DEFAULT 0,
  -- Slack's code of the last try.
  problem text,
  PRIMARY KEY (channel, ref)
);
---
CREATE INDEX post_by_ref ON post (ref);
---
-- When something was last sent there: turns may come late, and two are never sent within a second.
ALTER TABLE post_slot ADD COLUMN last_at timestamptz;
---
-- Which requests a digest message speaks of.
CREATE TABLE digest_item (
  action_id uuid NOT NULL REFERENCES action (id),
  channel text NOT NULL,
  ts text NOT NULL,
  listed_at timestamptz NOT NULL,
  PRIMARY KEY (action_id, channel, ts)
);
---
CREATE INDEX digest_item_by_message ON digest_item (channel, ts);
---
CREATE INDEX digest_item_by_time ON digest_item (listed_at);
---
CREATE INDEX action_waiting ON action (agent, asked_at, id) WHERE state = 'pending';
---
-- Which source a live group was read from, by which manifest, and when it is read again.
ALTER TABLE group_source
  ADD COLUMN source text NOT NULL DEFAULT '',
  ADD COLUMN revision int NOT NULL DEFAULT 0,
  ADD COLUMN next_at timestamptz;
