-- What deciding takes to know, with the action held until the end of the transaction: what was answered already, and who
-- is what, from when to when, as far as it is about whoever goes by p_person, p_slack or p_email. One question, because it
-- stands between a tap and its commit.
CREATE FUNCTION action_to_decide(p_id uuid, p_person text, p_slack text, p_email text, p_card_version int,
  OUT a action, OUT manifest jsonb, OUT members jsonb, OUT deputies jsonb, OUT sources jsonb, OUT editors jsonb,
  OUT answers jsonb, OUT looked_at timestamptz, OUT posted_at timestamptz, OUT card_text text)
RETURNS SETOF record LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_people text[];
  v_out text;
BEGIN
  SELECT * INTO a FROM action x WHERE x.id = p_id FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  -- What is not in force any more is void for whoever answers, from that moment on and not when it is written so.
  IF a.state = 'pending' THEN
    v_out := out_of_force(a);
    a.superseded_because := nullif(v_out, 'disabled');
    a.state := CASE WHEN v_out IS NULL THEN a.state WHEN v_out = 'disabled' THEN v_out ELSE 'superseded' END;
  END IF;
  -- A statement of its own: it sees what was committed while the first one waited for the lock.
  SELECT g.manifest, ARRAY(SELECT e.key FROM jsonb_each(g.manifest -> 'people') e
    WHERE e.key = p_person OR e.value ->> 'slack' = p_slack OR lower(e.value ->> 'email') = p_email)
  INTO manifest, v_people FROM agent g WHERE g.name = a.agent;
  SELECT
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'from', d.from_person, 'to', d.to_person, 'group', d.grp,
        'startsAt', d.starts_at, 'endsAt', d.ends_at) ORDER BY d.starts_at, d.id)
      FROM deputy d WHERE d.agent = a.agent AND d.to_person = ANY (v_people) AND d.revoked_at IS NULL), '[]'),
    coalesce((SELECT jsonb_agg(jsonb_build_object('group', s.grp, 'endsAt', s.fresh_until))
      FROM group_source s WHERE s.agent = a.agent AND s.fresh_until IS NOT NULL), '[]'),
    coalesce((SELECT jsonb_agg(e.editor) FROM action_edit e WHERE e.action_id = a.id), '[]'),
    coalesce((SELECT jsonb_agg(jsonb_build_object('person', n.person, 'verdict', n.verdict, 'for', n.for_person,
        'stage', n.stage, 'options', n.options) ORDER BY n.at, n.person)
      FROM decision n WHERE n.action_id = a.id AND n.round = a.round), '[]'),
    (SELECT min(n.at) FROM seen n WHERE n.action_id = a.id AND n.person = ANY (v_people)),
    (SELECT min(c.posted_at) FROM card c WHERE c.ref = a.id::text),
    (SELECT t.text FROM card_text t WHERE t.action_id = a.id AND t.version = p_card_version)
  INTO deputies, sources, editors, answers, looked_at, posted_at, card_text;
  SELECT coalesce(jsonb_agg(jsonb_build_object('group', m.grp, 'person', m.person, 'startsAt', m.from_at,
      'endsAt', m.until_at) ORDER BY m.grp, m.person), '[]')
  INTO members FROM agent_approver m
  WHERE m.agent = a.agent
    AND (m.person = ANY (v_people) OR deputies @> jsonb_build_array(jsonb_build_object('from', m.person)));
  RETURN NEXT;
END $$;
---
-- Writes an answer and its receipt. p_filled: the slots of earlier answers that are known now that the stage is filled.
-- p_end: people ended the wait by it, with `state` approved or denied; then the row as it is now is given back, and what
-- it says of the proposal is known.
CREATE FUNCTION record_answer(p_answer jsonb, p_filled jsonb, p_receipt jsonb, p_end jsonb) RETURNS SETOF action
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  n decision := jsonb_populate_record(NULL::decision, p_answer);
  v_to text := p_end ->> 'state';
  a action;
BEGIN
  DELETE FROM decision d WHERE d.action_id = n.action_id AND d.round = n.round AND d.person = n.person;
  INSERT INTO decision SELECT n.*;
  IF p_filled <> '[]' THEN
    UPDATE decision d SET slot = f.slot, grp = f.grp
    FROM jsonb_to_recordset(p_filled) AS f (person text, slot text, grp text)
    WHERE d.action_id = n.action_id AND d.round = n.round AND d.person = f.person;
  END IF;
  INSERT INTO receipt (action_id, round, person, verdict, jws, shown, salt, at)
  VALUES (n.action_id, n.round, n.person, n.verdict, p_receipt ->> 'jws', p_receipt ->> 'text',
    decode(p_receipt ->> 'salt', 'hex'), n.at);
  IF p_end IS NULL THEN RETURN; END IF;
  UPDATE action x SET decided_by = 'person', decided_at = n.at, break_glass = v_to = 'approved' AND p_end -> 'data' ? 'breakGlass',
    deny_reason = CASE WHEN v_to = 'denied' THEN n.reason END,
    -- An approval that counts leaves time to begin, however late it came.
    expires_at = CASE WHEN v_to = 'approved'
      THEN greatest(x.expires_at, n.at + (p_end ->> 'beginMs')::numeric * interval '1 millisecond')
      ELSE x.expires_at END
  WHERE x.id = n.action_id RETURNING x.* INTO a;
  PERFORM know_event(a.id, c.key, (v_to = 'denied')::int, n.at) FROM jsonb_each_text(a.counts) c WHERE c.value = 'asked';
  IF NOT move_action(a.id, 'pending', a.revision, v_to, 'action.' || v_to, n.at, n.person, p_end -> 'data') THEN
    RAISE EXCEPTION 'action % does not wait', a.id;
  END IF;
  RETURN QUERY SELECT * FROM action x WHERE x.id = a.id;
END $$;
