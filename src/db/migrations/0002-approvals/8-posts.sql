-- Posts that are to come, or whose answer is out: when each may be tried, and whether an earlier try may have arrived.
CREATE TABLE post (
  channel text NOT NULL,
  ref text NOT NULL,
  due_at timestamptz NOT NULL,
  -- Tries of which nobody knows whether they arrived.
  tries int NOT NULL DEFAULT 0,
  -- Slack's code of the last try.
  problem text,
  PRIMARY KEY (channel, ref)
);
---
CREATE INDEX post_by_ref ON post (ref);
---
-- When something was last sent there: turns may come late, and two are never sent within a second.
ALTER TABLE post_slot ADD COLUMN last_at timestamptz;
---
-- Which requests a digest message speaks of.
CREATE TABLE digest_item (
  action_id uuid NOT NULL REFERENCES action (id),
  channel text NOT NULL,
  ts text NOT NULL,
  listed_at timestamptz NOT NULL,
  PRIMARY KEY (action_id, channel, ts)
);
---
CREATE INDEX digest_item_by_message ON digest_item (channel, ts);
---
CREATE INDEX digest_item_by_time ON digest_item (listed_at);
---
CREATE INDEX action_waiting ON action (agent, asked_at, id) WHERE state = 'pending';
