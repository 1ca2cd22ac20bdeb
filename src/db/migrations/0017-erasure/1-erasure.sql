-- That a subject is to be erased, kept before anything of it is erased: whoever dies over it, the service goes on.
CREATE TABLE erasure (
  id uuid PRIMARY KEY,
  agent text NOT NULL,
  subject_id bigint NOT NULL,
  -- Whose; null once nothing of it is left.
  name text,
  reason text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
  actions int NOT NULL DEFAULT 0,
  reads int NOT NULL DEFAULT 0,
  worked_at timestamptz NOT NULL,
  done_at timestamptz
);
---
CREATE INDEX erasure_open ON erasure (worked_at) WHERE done_at IS NULL;
