-- What the values of a subject-day add up to, beside its row of day_count: total and logs in fixed point 2^-32. `logs` are
-- those of the bets against the guardrail's limit, `safety` those of the proof that all is well, where the metric has a cap;
-- both empty where nothing acts on the sum. `over`: subject-days above the cap.
CREATE TABLE day_sum (
  rollout_id text NOT NULL REFERENCES rollout (id),
  arm text NOT NULL,
  segment text NOT NULL,
  generation int NOT NULL,
  metric text NOT NULL,
  day int NOT NULL,
  build text NOT NULL,
  total numeric(40, 0) NOT NULL,
  logs bigint[] NOT NULL,
  safety bigint[] NOT NULL,
  over int NOT NULL,
  PRIMARY KEY (rollout_id, arm, segment, generation, metric, day, build)
);
