-- Whether those whose decisions carry an approval may still give it; the word says what does not hold. A member counts
-- who was one when deciding, by what is known of the group now; what is known must not be stale.
CREATE FUNCTION approvers_stand(p_action uuid, p_round int, p_break_glass boolean, p_now timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
  a action;
  v_people jsonb;
BEGIN
  SELECT * INTO a FROM action x WHERE x.id = p_action;
  SELECT manifest INTO v_people FROM agent g WHERE g.name = a.agent;
  IF EXISTS (SELECT 1 FROM decision d JOIN group_source s ON s.agent = a.agent AND s.grp = d.grp
      WHERE d.action_id = p_action AND d.round = p_round AND d.slot IS NOT NULL
        AND coalesce(s.fresh_until, '-infinity') <= p_now) THEN
    RETURN 'group_stale';
  END IF;
  IF EXISTS (
    WITH valid AS (
      SELECT d.slot FROM decision d
      WHERE d.action_id = p_action AND d.round = p_round AND d.verdict = 'approve'
        AND EXISTS (SELECT 1 FROM agent_approver m WHERE m.agent = a.agent AND m.grp = d.grp AND m.person = d.for_person
          AND coalesce(m.from_at, '-infinity') <= d.at AND coalesce(m.until_at, 'infinity') > d.at)
        AND NOT EXISTS (SELECT 1 FROM deputy u WHERE u.id = d.deputy_id AND u.revoked_at IS NOT NULL)
        AND v_people -> 'people' ? d.person
        AND (coalesce((v_people ->> 'testMode')::boolean, false)
          OR NOT (v_people -> 'owners' ? d.person OR coalesce(v_people -> 'deployers', '[]') ? d.person))
    ), wanted AS (
      SELECT (n.stage - 1) || '/' || (e ->> 'group') AS slot, (e ->> 'quorum')::int AS quorum
      FROM jsonb_array_elements(a.approval -> 'stages') WITH ORDINALITY AS n (needs, stage),
        jsonb_array_elements(n.needs) AS e
      WHERE NOT p_break_glass
      UNION ALL SELECT 'break-glass', 1 WHERE p_break_glass
    )
    SELECT 1 FROM wanted w WHERE (SELECT count(*) FROM valid v WHERE v.slot = w.slot) < w.quorum
  ) THEN
    RETURN 'approver_lost_standing';
  END IF;
  RETURN 'stands';
END $$;
---
-- Whether what the action was asked under still holds; the word says what does not.
CREATE FUNCTION standing_of(a action, p_now timestamptz) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
  s rollout_segment;
  v_release text;
  v_approval standing_approval;
BEGIN
  IF switched_off(a.agent, a.tool, a.kind) THEN RETURN 'disabled'; END IF;
  SELECT release INTO v_release FROM in_force f WHERE f.agent = a.agent AND f.segment IN (a.segment, 'default')
  ORDER BY (f.segment = a.segment) DESC LIMIT 1;
  IF a.arm = 'control' OR a.release = v_release THEN
    IF a.release IS DISTINCT FROM v_release THEN RETURN 'new_release'; END IF;
  ELSE
    SELECT * INTO s FROM rollout_segment r WHERE r.rollout_id = a.rollout_id AND r.segment = a.segment;
    IF NOT FOUND OR s.state <> 'exposed' OR s.generation <> a.generation OR a.bucket >= s.exposure THEN
      RETURN 'rolled_back';
    END IF;
    IF EXISTS (SELECT 1 FROM rollout o WHERE o.id = a.rollout_id AND o.ended_at IS NOT NULL) THEN
      RETURN 'new_release';
    END IF;
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
    RETURN approvers_stand(v_approval.action_id, v_approval.round, false, p_now);
  END IF;
  IF a.decided_by = 'person' THEN RETURN approvers_stand(a.id, a.round, a.break_glass, p_now); END IF;
  RETURN 'stands';
END $$;
