-- How many subjects of a rollout were too many and stay in control: counted as they come, so that nobody counts them all to show it.
CREATE TABLE rollout_surplus (
  rollout_id text PRIMARY KEY REFERENCES rollout (id),
  subjects bigint NOT NULL
);
---
INSERT INTO rollout_surplus (rollout_id, subjects)
SELECT rollout_id, count(*) FROM rollout_subject WHERE NOT admitted GROUP BY rollout_id;
