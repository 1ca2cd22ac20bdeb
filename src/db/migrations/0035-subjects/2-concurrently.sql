CREATE INDEX CONCURRENTLY rollout_subject_admitted ON rollout_subject (rollout_id, first_at) WHERE admitted;
