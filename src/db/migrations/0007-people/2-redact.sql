-- What is hidden of the arguments belongs to the question: a later manifest does not uncover it.
ALTER TABLE action ADD COLUMN redact jsonb NOT NULL DEFAULT '[]';
---
UPDATE action a SET redact = coalesce(g.manifest #> ARRAY['tools', a.tool, 'redact'], '[]')
FROM agent g WHERE g.name = a.agent AND g.manifest #> ARRAY['tools', a.tool, 'redact'] <> '[]';
