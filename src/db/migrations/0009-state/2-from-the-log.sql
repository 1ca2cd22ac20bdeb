-- What earlier versions read from the log every time, read from it once more.
CREATE TEMPORARY TABLE logged ON COMMIT DROP AS
SELECT ref, count(*) AS entries,
  max(id) FILTER (WHERE kind IN ('action.asked', 'action.edited', 'action.stage')) AS opening,
  max(id) FILTER (WHERE kind IN ('action.withdrawn', 'action.superseded', 'action.disabled', 'action.expired')) AS ending
FROM log_entry WHERE kind LIKE 'action.%' AND ref IS NOT NULL GROUP BY ref;
---
ALTER TABLE logged ADD PRIMARY KEY (ref);
---
ANALYZE logged;
---
-- Cards that stand somewhere, and what they showed, have versions that were counted like this: none goes backwards.
UPDATE action a SET stage_opened_at = CASE WHEN a.approval IS NOT NULL THEN coalesce(o.at, a.asked_at) END,
  card_version = 2 * (coalesce(l.entries, 0) + coalesce(s.happened, 0)) + (p.action_id IS NULL)::int
FROM action x
  LEFT JOIN logged l ON l.ref = x.id::text
  LEFT JOIN log_entry o ON o.id = l.opening
  LEFT JOIN action_private p ON p.action_id = x.id
  LEFT JOIN (SELECT action_id, sum(1 + used + (ended_at IS NOT NULL)::int)::int AS happened FROM standing_approval
    GROUP BY action_id) s ON s.action_id = x.id
WHERE a.id = x.id AND (x.approval IS NOT NULL OR EXISTS (SELECT 1 FROM card c WHERE c.ref = x.id::text));
---
-- The agent's own words on a question that it took back are kept beside it, and go with it.
UPDATE action a SET ended_at = e.at, ended_by = e.body::jsonb ->> 'actor',
  ended_because = CASE WHEN a.state <> 'superseded' THEN e.body::jsonb #>> '{data,because}' END,
  withdraw_reason = coalesce(a.withdraw_reason, CASE WHEN a.state = 'withdrawn'
    AND EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id) THEN e.body::jsonb #>> '{data,reason}' END)
FROM logged l JOIN log_entry e ON e.id = l.ending
WHERE l.ref = a.id::text AND a.state IN ('withdrawn', 'superseded', 'disabled', 'expired');
---
CREATE TEMPORARY TABLE reached ON COMMIT DROP AS
SELECT a.id AS action_id, a.round, a.stage, e.id, e.at, e.body::jsonb -> 'data' AS data
FROM log_entry e JOIN logged l ON l.ref = e.ref AND e.id > l.opening JOIN action a ON a.id::text = e.ref
WHERE e.kind = 'action.reach';
---
INSERT INTO action_reach (action_id, round, stage, person, ways, first_at)
SELECT r.action_id, r.round, r.stage, t.key,
  ARRAY(SELECT jsonb_array_elements_text((array_agg(t.value ORDER BY r.id DESC))[1])), (array_agg(r.at ORDER BY r.id))[1]
FROM reached r, jsonb_each(r.data -> 'told') t GROUP BY r.action_id, r.round, r.stage, t.key;
---
INSERT INTO action_alert (action_id, round, stage, kind)
SELECT DISTINCT action_id, round, stage, data ->> 'alert' FROM reached WHERE data ? 'alert';
