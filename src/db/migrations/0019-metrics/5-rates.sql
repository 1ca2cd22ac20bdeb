-- What harm costs an agent's business, as its owner declares it: every version, the last in force.
CREATE TABLE rates (
  agent text NOT NULL REFERENCES agent (name),
  revision int NOT NULL,
  manifest jsonb NOT NULL,
  digest text NOT NULL,
  applied_at timestamptz NOT NULL,
  applied_by text NOT NULL,
  PRIMARY KEY (agent, revision)
);
