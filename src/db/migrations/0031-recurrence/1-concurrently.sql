CREATE INDEX CONCURRENTLY incident_recurred ON incident (agent) WHERE recurrence_of IS NOT NULL;
