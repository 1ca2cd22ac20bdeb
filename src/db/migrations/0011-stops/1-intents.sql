-- That a stop was asked for: kept before it waits for the gate, so that whoever dies, the service goes on closing.
CREATE TABLE stop_intent (
  id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  scope text NOT NULL,
  reads boolean NOT NULL,
  reason text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
  closed_at timestamptz
);
---
CREATE INDEX stop_intent_open ON stop_intent (id) WHERE closed_at IS NULL;
---
-- The last stop of a scope is looked for at every begin.
CREATE INDEX stop_of_scope ON stop (scope, epoch);
