-- When the source of a metric was last read for a segment, and why not since then.
CREATE TABLE source_reading (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  metric text NOT NULL,
  -- The first moment that counts: of another exposure it is read anew.
  since timestamptz NOT NULL,
  tried_at timestamptz NOT NULL,
  read_at timestamptz,
  failure text,
  -- Whether it ever said anything: what vanishes afterwards is a failure.
  counted boolean NOT NULL,
  PRIMARY KEY (rollout_id, segment, metric)
);
---
-- Whether any guardrail rests on a source: only then is there something to read.
ALTER TABLE rollout ADD COLUMN sourced boolean NOT NULL DEFAULT false;
