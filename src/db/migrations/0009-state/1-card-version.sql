-- The state of an action stands in its row, and the log is never asked for it.
ALTER TABLE action
  -- Rises with every change of what its card shows.
  ADD COLUMN card_version int NOT NULL DEFAULT 1,
  -- Since when people are asked in the open stage; null: nobody is.
  ADD COLUMN stage_opened_at timestamptz,
  -- How it ended, if it neither was denied nor began.
  ADD COLUMN ended_at timestamptz,
  ADD COLUMN ended_by text,
  ADD COLUMN ended_because text;
---
-- Who was told in a stage of an action, or could see it there, and how when that was last found out.
CREATE TABLE action_reach (
  action_id uuid NOT NULL REFERENCES action (id),
  round int NOT NULL,
  stage int NOT NULL,
  person text NOT NULL,
  ways text[] NOT NULL,
  first_at timestamptz NOT NULL,
  PRIMARY KEY (action_id, round, stage, person)
);
---
-- What on-call was told of a stage: each once.
CREATE TABLE action_alert (
  action_id uuid NOT NULL REFERENCES action (id),
  round int NOT NULL,
  stage int NOT NULL,
  kind text NOT NULL,
  PRIMARY KEY (action_id, round, stage, kind)
);
