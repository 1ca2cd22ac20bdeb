-- The oldest callback that no agent's server took, for whoever watches; and those of the last days, for the reconciler.
CREATE INDEX CONCURRENTLY callback_by_time ON callback (at);
