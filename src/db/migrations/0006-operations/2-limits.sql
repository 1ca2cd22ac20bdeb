-- What a grant used lately, by period: the key has the start before the period.
CREATE INDEX limit_use_by_period ON limit_use (agent, release, grant_name, period, starts_at);
