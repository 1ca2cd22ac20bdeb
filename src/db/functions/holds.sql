-- Whether a person may answer an action in whatever group: rightToApprove() and conflictOf() of
-- src/domain/approval/approval.ts say the same while it waits, and one table of cases is put to both
-- (test/integration/approvals/who-may.test.ts).
CREATE FUNCTION may_answer(a action, g agent, p_person text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT g.person_keys ? p_person
    AND NOT a.behind_keys ?| ARRAY(SELECT jsonb_array_elements_text(g.person_keys -> p_person))
    AND NOT EXISTS (SELECT 1 FROM action_edit e WHERE e.action_id = a.id AND e.editor = p_person)
    AND (coalesce((g.manifest ->> 'testMode')::boolean, false)
      OR NOT (g.person_keys -> p_person ? a.asked_by_key OR g.manifest -> 'owners' ? p_person
        OR coalesce(g.manifest -> 'deployers', '[]') ? p_person))
$$;
---
-- Whether nobody knows who is in a group: its members are read elsewhere, and were not for too long.
CREATE FUNCTION is_stale(g agent, p_group text, p_now timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(jsonb_typeof(spec) = 'object' AND spec ?| ARRAY['slackGroup', 'schedule'], false)
    AND NOT EXISTS (SELECT 1 FROM group_source s WHERE s.agent = g.name AND s.grp = p_group AND s.fresh_until > p_now)
  FROM (SELECT g.manifest #> ARRAY['approvers', p_group] AS spec) AS x
$$;
---
-- Whether those whose answers carry an approval may still give it; the word says what does not hold. A member counts who
-- was one when answering, by what is known of the group now; as long as nobody knows, nothing is lost and nothing begins.
CREATE FUNCTION approvers_hold(p_action uuid, p_round int, p_break_glass boolean, p_now timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  a action;
  g agent;
BEGIN
  SELECT * INTO a FROM action x WHERE x.id = p_action;
  SELECT * INTO g FROM agent x WHERE x.name = a.agent;
  RETURN (
    WITH wanted AS (
      SELECT n.stage - 1 AS stage, (n.stage - 1) || '/' || (e ->> 'group') AS slot, e ->> 'group' AS grp,
        (e ->> 'quorum')::int AS quorum
      FROM jsonb_array_elements(a.approval -> 'stages') WITH ORDINALITY AS n (needs, stage),
        jsonb_array_elements(n.needs) AS e
      WHERE NOT p_break_glass
      UNION ALL SELECT NULL, 'break-glass', a.approval ->> 'breakGlass', 1 WHERE p_break_glass
    ), valid AS (
      SELECT w.slot, d.for_person, is_stale(g, d.grp, p_now) AS stale
      FROM decision d JOIN wanted w ON w.slot = d.slot AND (w.grp = d.grp
        OR a.routed @> jsonb_build_array(jsonb_build_object('group', d.grp, 'stage', w.stage)))
      WHERE d.action_id = p_action AND d.round = p_round AND d.verdict = 'approve' AND may_answer(a, g, d.person)
        AND (d.for_person = d.person OR (may_answer(a, g, d.for_person)
          AND EXISTS (SELECT 1 FROM deputy u WHERE u.id = d.deputy_id AND u.agent = a.agent AND u.to_person = d.person
            AND u.from_person = d.for_person AND coalesce(u.grp, d.grp) = d.grp AND u.starts_at <= d.at AND u.ends_at > d.at
            AND u.revoked_at IS NULL)))
        AND (is_stale(g, d.grp, p_now) OR EXISTS (SELECT 1 FROM agent_approver m WHERE m.agent = a.agent AND m.grp = d.grp
          AND m.person = d.for_person AND coalesce(m.from_at, '-infinity') <= d.at
          AND coalesce(m.until_at, 'infinity') > d.at))
    ), counted AS (
      SELECT w.quorum, count(DISTINCT v.for_person) AS people,
        count(DISTINCT v.for_person) FILTER (WHERE NOT v.stale) AS certain
      FROM wanted w LEFT JOIN valid v ON v.slot = w.slot GROUP BY w.slot, w.quorum
    )
    SELECT CASE WHEN coalesce(bool_or(people < quorum), true) THEN 'approver_lost_standing'
      WHEN bool_or(certain < quorum) THEN 'group_stale' ELSE 'holds' END
    FROM counted
  );
END $$;
---
-- Whether what the action was asked under is in force still: null, or the word for what is not.
CREATE FUNCTION out_of_force(a action) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_place record := place_of(a);
BEGIN
  RETURN v_place.why;
END $$;
---
-- The same, with what the rollout of a candidate says there now: whether its evidence makes each write ask, and its step while it is
-- open; of a segment that joined later its own. Whoever needs both reads them once.
CREATE FUNCTION place_of(a action, OUT why text, OUT asks boolean, OUT step jsonb) RETURNS record LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_release text;
  v record;
BEGIN
  IF switched_off(a.agent, a.tool, a.kind) OR stopped_since(a.epoch, a.agent, a.tool, a.kind) THEN
    why := 'disabled';
    RETURN;
  END IF;
  SELECT release INTO v_release FROM in_force f WHERE f.agent = a.agent AND f.segment IN (a.segment, 'default')
  ORDER BY (f.segment = a.segment) DESC LIMIT 1;
  IF a.arm = 'control' THEN
    IF a.release IS DISTINCT FROM v_release THEN why := 'new_release'; END IF;
    RETURN;
  END IF;
  SELECT r.state, r.generation, r.exposure, r.asks, o.ended_at, o.step INTO v
  FROM rollout_segment r JOIN rollout o ON o.id = r.rollout_id WHERE r.rollout_id = a.rollout_id AND r.segment = a.segment;
  IF a.release IS DISTINCT FROM v_release THEN
    IF v.state IS DISTINCT FROM 'exposed' OR v.generation <> a.generation OR a.bucket >= v.exposure THEN
      why := 'rolled_back';
    ELSIF v.ended_at IS NOT NULL THEN
      why := 'new_release';
    END IF;
  END IF;
  asks := v.asks;
  step := CASE WHEN v.ended_at IS NULL THEN coalesce(v.step -> 'own' -> a.segment, v.step) END;
END $$;
---
-- Whether what the action was asked under still holds; the word says what does not.
CREATE FUNCTION still_holds(a action, p_now timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_place record := place_of(a);
  v_approval standing_approval;
BEGIN
  IF v_place.why IS NOT NULL THEN RETURN v_place.why; END IF;
  -- Whoever let it through: the step and the evidence may be stricter by now.
  IF (a.decided_by = 'policy' OR a.standing_id IS NOT NULL) AND (v_place.step ->> 'writes' = 'ask' OR v_place.asks)
    OR v_place.step ? 'tools' AND NOT v_place.step -> 'tools' ? a.tool THEN
    RETURN 'tightened';
  END IF;
  IF a.earned AND NOT EXISTS (SELECT 1 FROM autonomy u WHERE u.agent = a.agent AND u.release = a.release
      AND u.grant_name = a.grant_name AND u.tool = a.tool AND u.segment = a.segment AND u.agent_version = a.agent_version
      AND u.state = 'allow') THEN
    RETURN 'autonomy_lost';
  END IF;
  IF a.standing_id IS NOT NULL THEN
    SELECT * INTO v_approval FROM standing_approval x WHERE x.id = a.standing_id;
    IF v_approval.ended_at IS NOT NULL AND v_approval.ended_because NOT IN ('spent', 'expired') THEN
      RETURN 'standing_approval_ended';
    END IF;
    RETURN approvers_hold(v_approval.action_id, v_approval.round, false, p_now);
  END IF;
  IF a.decided_by = 'person' THEN RETURN approvers_hold(a.id, a.round, a.break_glass, p_now); END IF;
  RETURN 'holds';
END $$;
