-- Instants lie in the years 2000 to 2100 (src/domain/instant.ts); earlier versions took any from a request. A token that
-- ended before has ended, one that was to end later ends with the last of them.
UPDATE token SET expires_at = '2000-01-01T00:00:00Z' WHERE expires_at < '2000-01-01T00:00:00Z';
---
UPDATE token SET expires_at = '2100-12-31T23:59:59.999Z' WHERE expires_at >= '2101-01-01T00:00:00Z';
---
ALTER TABLE token ADD CONSTRAINT token_expires_at_range
  CHECK (expires_at >= '2000-01-01T00:00:00Z' AND expires_at < '2101-01-01T00:00:00Z');
---
-- A deputy begins after it was named: only ones that were to begin long after everybody's time can lie outside.
DELETE FROM deputy WHERE starts_at >= '2101-01-01T00:00:00Z';
---
UPDATE deputy SET ends_at = '2100-12-31T23:59:59.999Z' WHERE ends_at >= '2101-01-01T00:00:00Z';
---
ALTER TABLE deputy ADD CONSTRAINT deputy_times_range
  CHECK (starts_at >= '2000-01-01T00:00:00Z' AND ends_at < '2101-01-01T00:00:00Z');
