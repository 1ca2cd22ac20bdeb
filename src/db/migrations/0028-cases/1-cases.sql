-- What must not happen again. Nothing in it is of a person: arguments are made up before they come here. Proposed ones have a
-- body without what is expected: a person writes that.
CREATE TABLE regression_case (
  agent text NOT NULL,
  name text NOT NULL,
  kind text NOT NULL,
  digest text,
  body jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('proposed', 'admitted', 'retired', 'unreproduced')),
  because text NOT NULL CHECK (because IN ('file', 'incident', 'denied', 'edited', 'corrected')),
  from_incident text REFERENCES incident (id),
  -- The last action that it comes from, by its id alone: it may be erased.
  from_action uuid,
  -- How many happenings of the same decision path it stands for.
  covers int NOT NULL DEFAULT 1,
  owner text,
  review_by timestamptz,
  proposed_at timestamptz NOT NULL,
  proposed_by text NOT NULL,
  -- Who wrote what is expected.
  expected_by text,
  red_on text,
  green_on text,
  red_digest text,
  green_digest text,
  admitted_at timestamptz,
  admitted_by text,
  -- The arguments of its tools when it was admitted, and since when they are others.
  schemas_digest text,
  stale_since timestamptz,
  -- What a first person asked for and a second one has to agree to: {verb, by, at, reason, expect, digest}
  asked jsonb,
  retired_at timestamptz,
  retired_by text,
  retire_reason text,
  revision int NOT NULL DEFAULT 1,
  PRIMARY KEY (agent, name),
  -- A twin has no red: it is what must stay possible.
  CHECK (state <> 'admitted' OR (digest IS NOT NULL AND green_digest IS NOT NULL))
);
---
CREATE INDEX regression_case_by_state ON regression_case (agent, state, name);
---
CREATE INDEX regression_case_by_incident ON regression_case (from_incident) WHERE from_incident IS NOT NULL;
---
-- What became of a case, by whom and why; the log has it too.
CREATE TABLE regression_case_change (
  agent text NOT NULL,
  name text NOT NULL,
  revision int NOT NULL,
  at timestamptz NOT NULL,
  by text NOT NULL,
  verb text NOT NULL,
  reason text,
  digest text,
  data jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (agent, name, revision),
  FOREIGN KEY (agent, name) REFERENCES regression_case (agent, name)
);
