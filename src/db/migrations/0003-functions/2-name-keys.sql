-- What the names of an agent's people, and of whoever asked, come down to: so that the gate compares them as they are
-- compared everywhere else. A start writes those of rows that are there already.
ALTER TABLE agent ADD COLUMN person_keys jsonb NOT NULL DEFAULT '{}';
---
ALTER TABLE action
  ADD COLUMN asked_by_key text NOT NULL DEFAULT '',
  ADD COLUMN behind_keys jsonb NOT NULL DEFAULT '[]';
