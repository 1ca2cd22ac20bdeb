-- What every begin asks of the plan of a rollout, beside the plan: its present step, and the milliseconds of its days.
ALTER TABLE rollout ADD COLUMN step jsonb GENERATED ALWAYS AS (plan -> 'steps' -> step_index) STORED,
  ADD COLUMN day_ms numeric GENERATED ALWAYS AS (coalesce((plan ->> 'dayMs')::numeric, 86400000)) STORED;
