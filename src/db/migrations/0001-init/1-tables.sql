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
