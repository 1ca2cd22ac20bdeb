-- What is counted as it happens. Whoever does something appends what changed (`..._due`), in the same transaction, and
-- waits for nobody; one process at a time adds it up (fold_counts). The count of a moment is what is added up and what is
-- due, read in one statement.
CREATE TABLE posture_due (
  id bigserial PRIMARY KEY,
  agent text NOT NULL,
  segment text NOT NULL,
  actions int NOT NULL DEFAULT 0,
  kept int NOT NULL DEFAULT 0,
  begun int NOT NULL DEFAULT 0,
  confirmed int NOT NULL DEFAULT 0,
  credentialed int NOT NULL DEFAULT 0,
  unknown int NOT NULL DEFAULT 0
);
---
CREATE TABLE posture_count (
  agent text NOT NULL,
  segment text NOT NULL,
  -- Stored now, and of those with their arguments.
  actions bigint NOT NULL,
  kept bigint NOT NULL,
  -- Writes that ever began, and of those with a recorded allow and with a credential of their own.
  begun bigint NOT NULL,
  confirmed bigint NOT NULL,
  credentialed bigint NOT NULL,
  unknown bigint NOT NULL,
  PRIMARY KEY (agent, segment)
);
---
-- What the writes of a grant were worth, by when their evidence began (`since`) and, of the good ones, when they were done.
CREATE TABLE earned_due (
  id bigserial PRIMARY KEY,
  agent text NOT NULL,
  release text NOT NULL,
  grant_name text NOT NULL,
  tool text NOT NULL,
  segment text NOT NULL,
  build text NOT NULL,
  since timestamptz NOT NULL,
  done_by timestamptz NOT NULL,
  decided int NOT NULL,
  good int NOT NULL,
  bad int NOT NULL
);
---
CREATE TABLE earned_count (
  agent text NOT NULL,
  release text NOT NULL,
  grant_name text NOT NULL,
  tool text NOT NULL,
  segment text NOT NULL,
  build text NOT NULL,
  since timestamptz NOT NULL,
  -- The end of the quarter of a day; 'epoch' where it does not matter.
  done_by timestamptz NOT NULL,
  decided bigint NOT NULL,
  good bigint NOT NULL,
  bad bigint NOT NULL,
  PRIMARY KEY (agent, release, grant_name, tool, segment, build, since, done_by)
);
---
-- What one subject did on one day of a baseline, by tool and ('') by all of them, and how many such days there are.
CREATE TABLE volume_due (
  id bigserial PRIMARY KEY,
  rollout_id text NOT NULL,
  segment text NOT NULL,
  tool text NOT NULL,
  day int NOT NULL,
  subject text NOT NULL,
  begun int NOT NULL,
  unasked int NOT NULL,
  proposed int NOT NULL
);
---
CREATE TABLE volume_day (
  rollout_id text NOT NULL,
  segment text NOT NULL,
  tool text NOT NULL,
  day int NOT NULL,
  subject text NOT NULL,
  begun int NOT NULL,
  unasked int NOT NULL,
  proposed int NOT NULL,
  PRIMARY KEY (rollout_id, segment, tool, day, subject)
);
---
CREATE TABLE volume_count (
  rollout_id text NOT NULL,
  segment text NOT NULL,
  tool text NOT NULL,
  begun int NOT NULL,
  unasked int NOT NULL,
  either int NOT NULL,
  PRIMARY KEY (rollout_id, segment, tool)
);
---
-- While there is a row, what is counted begins where counting began, and not with what is stored.
CREATE TABLE recount_due (
  at timestamptz NOT NULL
);
---
-- From when on the evidence counts that a write belongs to, as it was when it was asked.
ALTER TABLE action ADD COLUMN earns_from timestamptz DEFAULT 'epoch';
---
ALTER TABLE action ALTER COLUMN earns_from DROP DEFAULT;
---
CREATE INDEX incident_by_place ON incident (agent, segment, opened_at);
---
-- A subject-day leads to the actions of that day alone.
DROP INDEX action_by_event;
---
CREATE INDEX action_by_event ON action (subject_digest, rollout_id, event_day) WHERE counts <> '{}';
---
CREATE INDEX action_by_begun_event ON action (subject_digest, rollout_id, begun_day) WHERE counts <> '{}' AND begun_day IS NOT NULL;
