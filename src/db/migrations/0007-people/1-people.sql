-- Slack accounts that were people lately: a stop or a denial goes by this for a day when Slack does not answer.
CREATE TABLE slack_account (
  slack text PRIMARY KEY,
  email text,
  known_at timestamptz NOT NULL
);
---
-- Every stop, also one of what was stopped already: who, when and why. Ended when people enable the scope again.
CREATE TABLE stop (
  id bigserial PRIMARY KEY,
  scope text NOT NULL,
  reads boolean NOT NULL,
  reason text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
  epoch bigint NOT NULL,
  ended_at timestamptz,
  ended_by text
);
---
CREATE INDEX stop_open ON stop (scope, id) WHERE ended_at IS NULL;
---
INSERT INTO stop (scope, reads, reason, actor, at, epoch)
SELECT scope, reads, reason, actor, changed_at, epoch FROM switch WHERE disabled;
