-- Subjects by the arm and the exposure that they were first asked for a write under: whether they split as assigned.
CREATE TABLE arm_count (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  generation int NOT NULL,
  exposure int NOT NULL,
  arm text NOT NULL,
  subjects int NOT NULL,
  PRIMARY KEY (rollout_id, segment, generation, exposure, arm)
);
---
-- Who was asked for there already, by the digest, as in the log: nobody is first twice.
CREATE TABLE arm_subject (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  subject text NOT NULL,
  PRIMARY KEY (rollout_id, segment, subject)
);
---
-- Up to which action a rollout is read for that.
CREATE TABLE arms_read (
  rollout_id text PRIMARY KEY REFERENCES rollout (id),
  upto uuid NOT NULL
);
---
-- Segments whose arms were not as assigned, and the counts that showed it: told once in a generation.
CREATE TABLE arms_mismatch (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  generation int NOT NULL,
  strata jsonb NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (rollout_id, segment, generation)
);
