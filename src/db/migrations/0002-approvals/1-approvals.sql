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
