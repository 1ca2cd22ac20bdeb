-- What the writes of a quarter of a day came to for the business, by the time they were asked (src/db/functions/business.sql).
-- Whoever does something appends what changed, one process at a time adds it up, as with the counters before.
CREATE TABLE business_due (
  id bigserial PRIMARY KEY,
  agent text NOT NULL,
  at timestamptz NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  release text NOT NULL,
  tool text NOT NULL,
  subject text NOT NULL,
  asked int NOT NULL DEFAULT 0,
  open int NOT NULL DEFAULT 0,
  executed int NOT NULL DEFAULT 0,
  failed int NOT NULL DEFAULT 0,
  unknown int NOT NULL DEFAULT 0,
  refused int NOT NULL DEFAULT 0,
  denied int NOT NULL DEFAULT 0,
  edited int NOT NULL DEFAULT 0,
  expired int NOT NULL DEFAULT 0,
  ended int NOT NULL DEFAULT 0,
  corrected int NOT NULL DEFAULT 0,
  corrected_unasked int NOT NULL DEFAULT 0,
  over_blocked int NOT NULL DEFAULT 0,
  waited int NOT NULL DEFAULT 0,
  waited_ms bigint NOT NULL DEFAULT 0,
  begun int NOT NULL DEFAULT 0,
  begun_ms bigint NOT NULL DEFAULT 0,
  answers int NOT NULL DEFAULT 0,
  answers_ms bigint NOT NULL DEFAULT 0,
  untimed int NOT NULL DEFAULT 0,
  handed int NOT NULL DEFAULT 0
);
---
CREATE TABLE business_count (
  agent text NOT NULL,
  period timestamptz NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  release text NOT NULL,
  tool text NOT NULL,
  -- Writes, and what became of them: denied by people and not called right since, denied by policy, changed by people.
  asked bigint NOT NULL,
  executed bigint NOT NULL,
  failed bigint NOT NULL,
  unknown bigint NOT NULL,
  refused bigint NOT NULL,
  denied bigint NOT NULL,
  edited bigint NOT NULL,
  expired bigint NOT NULL,
  ended bigint NOT NULL,
  -- Called wrong after they ran, of those without anybody's word before, and stopped ones that were called right.
  corrected bigint NOT NULL,
  corrected_unasked bigint NOT NULL,
  over_blocked bigint NOT NULL,
  -- Waited for people, until they had decided or it was over; from asked to begun; from shown to answered, at most so long each.
  waited bigint NOT NULL,
  waited_ms bigint NOT NULL,
  begun bigint NOT NULL,
  begun_ms bigint NOT NULL,
  answers bigint NOT NULL,
  answers_ms bigint NOT NULL,
  untimed bigint NOT NULL,
  PRIMARY KEY (agent, period, segment, arm, release, tool)
);
---
-- A task is all that one subject asked to write; it belongs to where its first write was asked.
CREATE TABLE business_task (
  agent text NOT NULL,
  subject text NOT NULL,
  period timestamptz NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  release text NOT NULL,
  asked int NOT NULL,
  open int NOT NULL,
  executed int NOT NULL,
  unknown int NOT NULL,
  corrected int NOT NULL,
  handed int NOT NULL,
  PRIMARY KEY (agent, subject)
);
---
CREATE TABLE business_task_count (
  agent text NOT NULL,
  period timestamptz NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  release text NOT NULL,
  started bigint NOT NULL,
  -- Still open; done: a write ran, and none is open, unknown or handed to people; right: done, and none was called wrong.
  open bigint NOT NULL,
  done bigint NOT NULL,
  "right" bigint NOT NULL,
  handed bigint NOT NULL,
  PRIMARY KEY (agent, period, segment, arm, release)
);
---
-- Reported outcomes of a metric, by when their action was asked.
CREATE TABLE business_metric_due (
  id bigserial PRIMARY KEY,
  agent text NOT NULL,
  at timestamptz NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  release text NOT NULL,
  metric text NOT NULL,
  n int NOT NULL,
  harms int NOT NULL,
  total double precision NOT NULL
);
---
CREATE TABLE business_metric_count (
  agent text NOT NULL,
  period timestamptz NOT NULL,
  segment text NOT NULL,
  arm text NOT NULL,
  release text NOT NULL,
  metric text NOT NULL,
  n bigint NOT NULL,
  -- Those that weigh more than nothing, and what all of them weigh.
  harms bigint NOT NULL,
  total double precision NOT NULL,
  PRIMARY KEY (agent, period, segment, arm, release, metric)
);
---
-- Which agents had no regression case when they started, who said so and why: once each.
CREATE TABLE none_yet (
  agent text PRIMARY KEY,
  release text NOT NULL,
  person text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL
);
---
-- What was counted of actions that are dropped since stays: only these are counted from what is stored.
ALTER TABLE recount_due ADD COLUMN counts text[];
---
INSERT INTO recount_due (at, counts) VALUES (clock_timestamp(), '{recount_business}');
