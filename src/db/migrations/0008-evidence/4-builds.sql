-- Whose evidence it is: each build of the agent has events of its own.
ALTER TABLE subject_day ADD COLUMN build text NOT NULL DEFAULT '';
---
UPDATE subject_day d SET build = coalesce((SELECT a.agent_version FROM action a
  WHERE a.subject_digest = d.subject AND a.rollout_id = d.rollout_id AND a.event_day = d.day ORDER BY a.asked_at LIMIT 1), '');
---
ALTER TABLE subject_day ALTER COLUMN build DROP DEFAULT, DROP CONSTRAINT subject_day_pkey,
  ADD PRIMARY KEY (rollout_id, arm, segment, generation, metric, day, build, subject);
---
ALTER TABLE day_count DROP CONSTRAINT day_count_pkey, ADD COLUMN build text NOT NULL DEFAULT '';
---
DELETE FROM day_count;
---
ALTER TABLE day_count ALTER COLUMN build DROP DEFAULT, ADD PRIMARY KEY (rollout_id, arm, segment, generation, metric, day, build);
---
INSERT INTO day_count (rollout_id, arm, segment, generation, metric, day, build, events, harms, known)
SELECT rollout_id, arm, segment, generation, metric, day, build, count(*), count(*) FILTER (WHERE value > 0),
  count(*) FILTER (WHERE known) FROM subject_day GROUP BY 1, 2, 3, 4, 5, 6, 7;
---
-- The builds a rollout knows, in the order it met them; those with `counts` fill the sample of its gates.
ALTER TABLE rollout ADD COLUMN builds jsonb NOT NULL DEFAULT '[]';
---
UPDATE rollout SET builds = jsonb_build_array(jsonb_build_object('version', agent_version, 'counts', true))
WHERE agent_version IS NOT NULL;
