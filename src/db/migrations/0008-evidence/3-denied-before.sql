-- What was asked, as one number: the same tool with the same arguments has the same. Erased like the arguments.
ALTER TABLE action ADD COLUMN same_digest text NOT NULL DEFAULT '';
---
CREATE INDEX action_by_same ON action (agent, same_digest, asked_at) WHERE same_digest <> '';
