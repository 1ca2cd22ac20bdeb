-- Of a metric that is compared between the arms: before which day they stand, because they may have been compared.
CREATE TABLE ripe_day (
  rollout_id text NOT NULL REFERENCES rollout (id),
  metric text NOT NULL,
  before int NOT NULL,
  PRIMARY KEY (rollout_id, metric)
);
---
-- Something was said of the subject when its day was ripe: what is compared of it stands.
ALTER TABLE first_day ADD COLUMN stands boolean NOT NULL DEFAULT false;
