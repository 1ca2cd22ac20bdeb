-- What a calendar of freezes said when it was last read, and why not since then.
CREATE TABLE freeze_calendar (
  agent text NOT NULL REFERENCES agent (name),
  ical text NOT NULL,
  -- [{from, to}], of the time ahead that is looked at.
  spans jsonb NOT NULL,
  tried_at timestamptz NOT NULL,
  read_at timestamptz,
  failure text,
  PRIMARY KEY (agent, ical)
);
---
-- The word of a verdict for which people were told to hold, until it is another: told once, however often it is judged.
ALTER TABLE verdict ADD COLUMN held text;
