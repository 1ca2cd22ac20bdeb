-- A subject is taken away while the gate is held.
CREATE INDEX CONCURRENTLY rollout_subject_by_subject ON rollout_subject (subject_id);
---
-- What tells of an action, however deep.
CREATE INDEX CONCURRENTLY alert_by_action ON alert USING gin (jsonb_path_query_array(facts, '$.**.action'));
---
CREATE INDEX CONCURRENTLY incident_by_action ON incident USING gin (jsonb_path_query_array(evidence, '$.**.action'));
