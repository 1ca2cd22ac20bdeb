-- What people were asked, how it ended and how long they took, as `posture_due` and `posture_count` are: see
-- src/db/functions/approval-counts.sql. `tool` and `risk`, or `person`, are '' where a measure is not by them; `bucket` is
-- that of a time (wait_bucket), -1 where none is known.
CREATE TABLE approval_due (
  id bigserial PRIMARY KEY,
  at timestamptz NOT NULL,
  agent text NOT NULL,
  tool text NOT NULL,
  risk text NOT NULL,
  person text NOT NULL,
  measure text NOT NULL,
  bucket int NOT NULL,
  n int NOT NULL,
  ms bigint NOT NULL
);
---
CREATE TABLE approval_count (
  agent text NOT NULL,
  -- The begin of the quarter of a day.
  period timestamptz NOT NULL,
  tool text NOT NULL,
  risk text NOT NULL,
  person text NOT NULL,
  measure text NOT NULL,
  bucket int NOT NULL,
  n bigint NOT NULL,
  ms bigint NOT NULL,
  PRIMARY KEY (agent, period, tool, risk, person, measure, bucket)
);
---
INSERT INTO recount_due (at) VALUES (clock_timestamp());
---
-- What is counted is not looked for any more.
DROP INDEX action_by_grant, action_asked_of_people, action_corrected;
