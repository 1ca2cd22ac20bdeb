-- Subjects that only the agent names, from when on an arm may be assigned to them; those above the rate stay in control.
CREATE TABLE rollout_subject (
  rollout_id text NOT NULL REFERENCES rollout (id),
  subject_id bigint NOT NULL REFERENCES subject (id) ON DELETE CASCADE,
  first_at timestamptz NOT NULL,
  admitted boolean NOT NULL,
  PRIMARY KEY (rollout_id, subject_id)
);
---
CREATE INDEX rollout_subject_by_time ON rollout_subject (rollout_id, first_at);
