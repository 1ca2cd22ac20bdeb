-- Where a subject was first seen while a part of its segment was exposed, in the metrics of a rollout that are compared with
-- the release in force at the same time; and what came of that day, by the exposure that it was assigned by.
CREATE TABLE first_day (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  metric text NOT NULL,
  -- The digest, as in the log.
  subject text NOT NULL,
  arm text NOT NULL,
  generation int NOT NULL,
  exposure int NOT NULL,
  day int NOT NULL,
  build text NOT NULL,
  PRIMARY KEY (rollout_id, segment, metric, subject)
);
---
CREATE TABLE first_count (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  metric text NOT NULL,
  generation int NOT NULL,
  exposure int NOT NULL,
  arm text NOT NULL,
  day int NOT NULL,
  subjects int NOT NULL,
  harms int NOT NULL,
  known int NOT NULL,
  PRIMARY KEY (rollout_id, segment, metric, generation, exposure, arm, day)
);
---
ALTER TABLE rollout ADD COLUMN compared text[] NOT NULL DEFAULT '{}';
