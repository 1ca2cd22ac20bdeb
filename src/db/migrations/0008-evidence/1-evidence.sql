-- What an action counts in, fixed when it is asked: metric -> 'asked' (it counts while it waits for people) or 'begun'.
ALTER TABLE action ADD COLUMN counts jsonb NOT NULL DEFAULT '{}', ADD COLUMN begun_day int;
---
CREATE INDEX action_by_event ON action (subject_digest, rollout_id) WHERE counts <> '{}';
---
UPDATE action a SET begun_day = CASE WHEN a.began_at IS NOT NULL THEN a.event_day END, counts = coalesce((
  SELECT jsonb_object_agg(m.key, CASE WHEN m.value @> '{"denials": true}' AND w.who = 'person' AND a.standing_id IS NULL
    THEN 'asked' ELSE 'begun' END)
  FROM agent g, jsonb_each(g.manifest -> 'metrics') m
  WHERE g.name = a.agent AND coalesce(m.value ->> 'tool', a.tool) = a.tool
    AND coalesce(m.value ->> 'decidedBy', w.who) = w.who), '{}')
FROM (SELECT x.id, coalesce(x.decided_by, 'person') AS who FROM action x) w
WHERE w.id = a.id AND a.rollout_id IS NOT NULL AND a.kind = 'write' AND NOT (a.state = 'denied' AND a.decided_by = 'policy');
---
-- The subject of an event goes by its digest: that stays when the subject is erased, and stands in the log.
ALTER TABLE subject_day ADD COLUMN counted boolean NOT NULL DEFAULT true, ADD COLUMN subject text;
---
UPDATE subject_day d SET subject = coalesce((SELECT a.subject_digest FROM action a WHERE a.subject_id = d.subject_id LIMIT 1),
  'erased ' || d.subject_id);
---
ALTER TABLE subject_day DROP CONSTRAINT subject_day_pkey, DROP COLUMN subject_id, DROP COLUMN started_at,
  ADD PRIMARY KEY (rollout_id, arm, segment, generation, metric, day, subject);
---
-- What the counts do not know yet, committed with what happened. Metric null: the action changed its state.
CREATE TABLE evidence_due (
  id bigserial PRIMARY KEY,
  action_id uuid NOT NULL REFERENCES action (id),
  metric text,
  value double precision,
  at timestamptz NOT NULL
);
---
-- Asked-only events of earlier versions leave again.
INSERT INTO evidence_due (action_id, at)
SELECT id, coalesce(completed_at, began_at, decided_at, asked_at) FROM action WHERE counts <> '{}' ORDER BY asked_at;
