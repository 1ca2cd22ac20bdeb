-- What was taken away, committed with the taking away under the gate; what follows from it comes after: what waited is
-- voided, and people are told. At least once and in order, whoever died in between.
CREATE TABLE revocation (
  id bigserial PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('switch', 'rollback', 'release')),
  -- Whose actions it is about; null: any.
  agent text,
  tool text,
  rollout_id text,
  segment text,
  arm text,
  kinds text[] NOT NULL,
  -- Where they go, why, and which: what was asked under an earlier epoch.
  becomes text NOT NULL CHECK (becomes IN ('disabled', 'superseded')),
  because text NOT NULL,
  epoch bigint NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL,
  facts jsonb NOT NULL DEFAULT '{}',
  voided int,
  -- When everybody who must know was told.
  done_at timestamptz
);
---
CREATE INDEX revocation_open ON revocation (id) WHERE done_at IS NULL;
