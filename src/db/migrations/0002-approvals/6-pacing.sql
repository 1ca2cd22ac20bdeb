-- Slack takes about one post a second in a channel. Every process takes its moments from here.
CREATE TABLE post_slot (
  channel text PRIMARY KEY,
  -- The earliest moment nobody has taken yet.
  next_at timestamptz NOT NULL
);
