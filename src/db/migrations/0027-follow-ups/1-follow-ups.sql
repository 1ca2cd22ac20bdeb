-- What somebody will do, by when, and what says that it is done.
CREATE TABLE follow_up (
  id text PRIMARY KEY,
  agent text NOT NULL,
  incident_id text REFERENCES incident (id),
  review_id text,
  sentence text NOT NULL,
  owner text,
  due_at timestamptz,
  severity text NOT NULL DEFAULT 'normal' CHECK (severity IN ('high', 'normal', 'low')),
  -- {kind: 'case' | 'guardrail' | 'metric' | 'link', ...}
  done jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('proposed', 'committed', 'claimed', 'verified', 'not_doing', 'superseded')),
  reason text,
  -- {person, reason, until}
  waiver jsonb,
  proposed_at timestamptz NOT NULL,
  proposed_by text NOT NULL,
  committed_at timestamptz,
  committed_by text,
  claimed_at timestamptz,
  claimed_by text,
  link text,
  verified_at timestamptz,
  verified_by text,
  -- What the predicate last said, and of what.
  checked jsonb,
  superseded_by text REFERENCES follow_up (id),
  remind_at timestamptz,
  reminders int NOT NULL DEFAULT 0,
  check_at timestamptz,
  revision int NOT NULL DEFAULT 1,
  CHECK (state IN ('proposed', 'not_doing', 'superseded') OR (owner IS NOT NULL AND due_at IS NOT NULL))
);
---
CREATE INDEX follow_up_by_agent ON follow_up (agent, proposed_at, id);
---
CREATE INDEX follow_up_by_proposed ON follow_up (proposed_at, id);
---
CREATE INDEX follow_up_by_state ON follow_up (agent, state, due_at, id);
---
CREATE INDEX follow_up_by_incident ON follow_up (incident_id, id) WHERE incident_id IS NOT NULL;
---
CREATE INDEX follow_up_by_review ON follow_up (review_id, id) WHERE review_id IS NOT NULL;
---
CREATE INDEX follow_up_to_remind ON follow_up (remind_at) WHERE remind_at IS NOT NULL;
---
CREATE INDEX follow_up_to_check ON follow_up (check_at) WHERE check_at IS NOT NULL;
---
CREATE INDEX follow_up_blocks ON follow_up (agent, due_at) WHERE severity = 'high' AND state IN ('committed', 'claimed');
