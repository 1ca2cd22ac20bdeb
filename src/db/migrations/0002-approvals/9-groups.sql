-- Which source a live group was read from, by which manifest, and when it is read again.
ALTER TABLE group_source
  ADD COLUMN source text NOT NULL DEFAULT '',
  ADD COLUMN revision int NOT NULL DEFAULT 0,
  ADD COLUMN next_at timestamptz;
