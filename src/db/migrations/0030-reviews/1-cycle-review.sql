-- One a cycle: opened in the transaction that ends it. What changed and what was seen are facts of the system; the rest people write.
CREATE TABLE cycle_review (
  id text PRIMARY KEY,
  agent text NOT NULL,
  rollout_id text NOT NULL REFERENCES rollout (id),
  release text NOT NULL,
  ending text NOT NULL,
  segments jsonb NOT NULL DEFAULT '[]',
  because text NOT NULL,
  opened_at timestamptz NOT NULL,
  facts jsonb,
  facts_at timestamptz,
  recommendation text,
  state text NOT NULL DEFAULT 'due',
  decision text,
  body jsonb,
  written_by text,
  written_at timestamptz,
  seconded_by text,
  seconded_at timestamptz,
  settled_at timestamptz,
  follow_up_id text,
  reminders int NOT NULL DEFAULT 0,
  prediction text,
  prediction_due timestamptz,
  measured jsonb,
  scored_at timestamptz
);
---
CREATE INDEX cycle_review_by_agent ON cycle_review (agent, opened_at);
---
CREATE INDEX cycle_review_by_time ON cycle_review (opened_at);
---
CREATE INDEX cycle_review_owed ON cycle_review (agent, opened_at) WHERE settled_at IS NULL;
---
CREATE INDEX cycle_review_factless ON cycle_review (opened_at) WHERE facts IS NULL;
---
CREATE INDEX cycle_review_predicted ON cycle_review (prediction_due) WHERE prediction = 'open';
