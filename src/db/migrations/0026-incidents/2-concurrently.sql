CREATE INDEX CONCURRENTLY incident_by_opened ON incident (opened_at, id);
---
CREATE INDEX CONCURRENTLY incident_by_agent ON incident (agent, opened_at, id);
---
CREATE INDEX CONCURRENTLY incident_by_state ON incident (state, opened_at, id);
---
CREATE INDEX CONCURRENTLY incident_by_agent_state ON incident (agent, state, opened_at, id);
---
CREATE INDEX CONCURRENTLY incident_by_rollout ON incident (rollout_id, segment, opened_at, id) WHERE rollout_id IS NOT NULL;
---
CREATE INDEX CONCURRENTLY incident_by_fingerprint ON incident (fingerprint, opened_at, id) WHERE fingerprint IS NOT NULL;
---
CREATE INDEX CONCURRENTLY incident_merged ON incident (merged_into, opened_at, id) WHERE merged_into IS NOT NULL;
---
CREATE INDEX CONCURRENTLY incident_to_remind ON incident (remind_at) WHERE remind_at IS NOT NULL;
---
-- contract: the version before writes no source
CREATE UNIQUE INDEX CONCURRENTLY incident_by_source ON incident (source) WHERE source IS NOT NULL;
---
CREATE INDEX CONCURRENTLY incident_restarts ON incident (agent, segment, opened_at) WHERE restarts_evidence;
