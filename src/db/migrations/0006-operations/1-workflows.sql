-- Callbacks that the agent's server has not taken yet: each is one workflow's work.
CREATE TABLE callback (
  key text PRIMARY KEY,
  payload jsonb NOT NULL,
  at timestamptz NOT NULL
);
---
-- When an alert had reached everybody that it is for.
ALTER TABLE alert ADD COLUMN delivered_at timestamptz;
---
-- Those of before have had their workflows.
UPDATE alert SET delivered_at = created_at;
---
CREATE INDEX alert_undelivered ON alert (created_at) WHERE delivered_at IS NULL;
---
-- When open records were last compared with Temporal's workflows, and how many there were.
CREATE TABLE reconciliation (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  at timestamptz NOT NULL,
  open int NOT NULL
);
---
-- Workflows that were missing though their record was open, and were started again.
CREATE TABLE restarted_workflow (
  id bigserial PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  -- What Temporal said of it: terminated, failed, not found …
  found text NOT NULL,
  at timestamptz NOT NULL
);
---
CREATE INDEX restarted_workflow_by_time ON restarted_workflow (at);
