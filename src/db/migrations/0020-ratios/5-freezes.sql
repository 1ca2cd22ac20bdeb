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
