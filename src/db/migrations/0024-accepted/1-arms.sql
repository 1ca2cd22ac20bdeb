-- How often the arms of a segment had been accepted as they are when its subjects were counted: each time the count begins anew.
-- contract: the version before begins no second round, and its count is replaced with this
ALTER TABLE arm_count
  ADD COLUMN round int NOT NULL DEFAULT 0,
  DROP CONSTRAINT arm_count_pkey,
  ADD PRIMARY KEY (rollout_id, segment, generation, round, exposure, arm);
---
-- Told once in a round, and who accepted it, when and why.
-- contract: the version before begins no second round, and what it writes is of the first
ALTER TABLE arms_mismatch
  ADD COLUMN round int NOT NULL DEFAULT 0,
  ADD COLUMN accepted_at timestamptz,
  ADD COLUMN accepted_by text,
  ADD COLUMN because text,
  DROP CONSTRAINT arms_mismatch_pkey,
  ADD PRIMARY KEY (rollout_id, segment, generation, round);
