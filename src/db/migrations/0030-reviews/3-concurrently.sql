CREATE INDEX CONCURRENTLY rollout_by_agent ON rollout (agent, started_at);
---
CREATE INDEX CONCURRENTLY stop_by_time ON stop (at);
---
CREATE INDEX CONCURRENTLY follow_up_by_agent_due ON follow_up (agent, due_at) WHERE due_at IS NOT NULL;
