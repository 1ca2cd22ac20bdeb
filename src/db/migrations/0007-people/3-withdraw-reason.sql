-- The agent's own words on a question that it takes back: not for the log, which is never erased.
ALTER TABLE action ADD COLUMN withdraw_reason text;
