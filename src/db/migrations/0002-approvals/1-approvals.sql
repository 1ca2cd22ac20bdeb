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
