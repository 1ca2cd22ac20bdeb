-- When each segment was exposed and how far, generation by generation: the time that harms are counted over.
CREATE TABLE exposure (
  rollout_id text NOT NULL REFERENCES rollout (id),
  segment text NOT NULL,
  generation int NOT NULL,
  exposure int NOT NULL CHECK (exposure BETWEEN 1 AND 10000),
  from_at timestamptz NOT NULL,
  until_at timestamptz
);
---
CREATE INDEX exposure_by_rollout ON exposure (rollout_id, segment);
---
-- Harms a day that each segment may have, fixed with the baseline; null where a rollout began without.
ALTER TABLE rollout ADD COLUMN per_day jsonb;
