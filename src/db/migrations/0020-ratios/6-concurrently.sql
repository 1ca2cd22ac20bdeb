-- Whether a page of a switch that was disabled is resolved already.
CREATE INDEX CONCURRENTLY alert_enabled ON alert (created_at) WHERE kind = 'switch.enabled';
---
-- What was said of a write.
CREATE INDEX CONCURRENTLY outcome_by_action ON outcome (action_id, metric);
