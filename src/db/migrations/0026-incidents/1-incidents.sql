-- An incident has a life of its own. `ended`: what its opening ended, by name; NULL where the version before opened it, for
-- which the triggers end it. Where it says so, what is earned in its segment counts from its opening on.
ALTER TABLE incident
  ADD COLUMN state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'classified', 'reproduced', 'guarded', 'closed')),
  ADD COLUMN certainty text CHECK (certainty IN ('known', 'suspected')),
  ADD COLUMN owner text,
  ADD COLUMN severity text NOT NULL DEFAULT 'high' CHECK (severity IN ('high', 'normal', 'low')),
  ADD COLUMN because text NOT NULL DEFAULT 'rollback',
  ADD COLUMN origin text,
  ADD COLUMN result text,
  ADD COLUMN tool text,
  ADD COLUMN fingerprint text,
  ADD COLUMN findings jsonb,
  ADD COLUMN contributing jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN classified_at timestamptz,
  ADD COLUMN classified_by text,
  ADD COLUMN classify_by timestamptz,
  ADD COLUMN remind_at timestamptz,
  ADD COLUMN closed_at timestamptz,
  ADD COLUMN closed_by text,
  ADD COLUMN close_reason text,
  ADD COLUMN merged_into text REFERENCES incident (id),
  ADD COLUMN merged_at timestamptz,
  ADD COLUMN merged_by text,
  ADD COLUMN recurrence_of text REFERENCES incident (id),
  ADD COLUMN historical boolean NOT NULL DEFAULT false,
  ADD COLUMN ended jsonb,
  ADD COLUMN restarts_evidence boolean NOT NULL DEFAULT true,
  ADD COLUMN source text,
  ADD COLUMN writes int NOT NULL DEFAULT 0,
  ADD COLUMN revision int NOT NULL DEFAULT 1;
---
-- A wrong write, or a right one that was stopped, is in exactly one incident. Ids alone: an action may be erased.
CREATE TABLE incident_action (
  action_id uuid PRIMARY KEY,
  incident_id text NOT NULL REFERENCES incident (id),
  because text NOT NULL CHECK (because IN ('wrong_write', 'unknown_harm', 'wrongly_stopped', 'named')),
  at timestamptz NOT NULL,
  by text NOT NULL
);
---
CREATE INDEX incident_action_by_incident ON incident_action (incident_id, at, action_id);
---
-- Every label that was given, by whom; the second one of an incident is given blind.
CREATE TABLE incident_label (
  incident_id text NOT NULL REFERENCES incident (id),
  n int NOT NULL CHECK (n IN (1, 2)),
  mechanism text NOT NULL,
  certainty text NOT NULL,
  origin text,
  result text,
  contributing jsonb NOT NULL,
  evidence jsonb NOT NULL,
  list_version int NOT NULL,
  person text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (incident_id, n)
);
---
CREATE INDEX incident_label_by_at ON incident_label (at) WHERE n = 2;
