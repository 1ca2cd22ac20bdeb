-- A rollout may start although a named case is not green: who says so, why and until when. Kept after it has ended.
CREATE TABLE case_waiver (
  agent text NOT NULL,
  case_name text NOT NULL,
  until timestamptz NOT NULL,
  person text NOT NULL,
  reason text NOT NULL,
  at timestamptz NOT NULL,
  rollout_id text NOT NULL,
  PRIMARY KEY (agent, case_name, until, rollout_id)
);
---
CREATE INDEX case_waiver_live ON case_waiver (agent, until);
