-- Whether a page of a switch that was disabled is resolved already.
CREATE INDEX CONCURRENTLY alert_enabled ON alert (created_at) WHERE kind = 'switch.enabled';
