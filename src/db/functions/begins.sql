-- A begin as its agent asks for it, with all that minting and showing it take, in one round trip: null of p_agent is any.
-- The token, and the round that the agent knows of, come first; only what waits can be edited, so that the round of anything
-- else stands. begin_action then reads everything again under the gate.
CREATE FUNCTION begin_write(p_id uuid, p_agent text, p_execution text, p_round int, p_now timestamptz, p_actor text,
  p_start_ms int, p_deadline_ms int, p_token uuid, p_token_epoch bigint)
RETURNS TABLE (status text, known action, digest text, salt bytea, args text, decisions jsonb, edits jsonb)
LANGUAGE plpgsql SET lock_timeout = '200ms' SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF p_token IS NOT NULL AND NOT token_still_good(p_token, p_token_epoch) THEN
    status := 'unauthenticated';
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT * INTO known FROM action x WHERE x.id = p_id AND x.agent = coalesce(p_agent, x.agent);
  IF NOT FOUND THEN
    status := 'unknown_action';
    RETURN NEXT;
    RETURN;
  END IF;
  status := CASE WHEN known.state = 'pending' THEN 'not_approved'
    WHEN known.round <> coalesce(p_round, 0) THEN 'args_changed' END;
  IF status IS NULL THEN
    SELECT b.status INTO status FROM begin_action(p_id, known.agent, p_execution, p_now, p_actor, p_start_ms,
      p_deadline_ms) b;
    SELECT * INTO known FROM action x WHERE x.id = p_id;
  END IF;
  IF status IN ('begun', 'again') THEN
    SELECT p.salt, CASE WHEN known.round > 0 THEN p.args END INTO salt, args FROM action_private p WHERE p.action_id = p_id;
    SELECT x.digest, x.decisions, x.edits INTO digest, decisions, edits FROM shown_with(known) x;
  END IF;
  RETURN NEXT;
END $$;
---
-- What a view of an action shows beside its row: the digest of its agent's manifest, who answered, who changed arguments.
CREATE FUNCTION shown_with(a action, OUT digest text, OUT decisions jsonb, OUT edits jsonb) RETURNS record
LANGUAGE sql STABLE AS $$
  SELECT (SELECT g.digest FROM agent g WHERE g.name = a.agent),
    (SELECT jsonb_agg(d ORDER BY d.at) FROM decision d WHERE d.action_id = a.id),
    (SELECT jsonb_agg(jsonb_build_object('round', e.round, 'editor', e.editor, 'at', e.at, 'via', e.via, 'reason', e.reason,
      'digest_before', e.digest_before) ORDER BY e.round) FROM action_edit e WHERE a.round > 0 AND e.action_id = a.id)
$$;
---
-- What came of a begun action, as its agent says it, in one round trip. The same report again changes nothing; a late one of
-- an unknown action is taken. p_result: RFC 8785 JSON, null where there was none.
CREATE FUNCTION complete_action(p_id uuid, p_agent text, p_execution text, p_ok boolean, p_result text, p_error text,
  p_now timestamptz, p_actor text, p_token uuid, p_token_epoch bigint)
RETURNS TABLE (status text, known action) LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
  v_to text := CASE WHEN p_ok THEN 'executed' ELSE 'failed' END;
  v_digest text;
  v_from text;
BEGIN
  IF p_token IS NOT NULL AND NOT token_still_good(p_token, p_token_epoch) THEN
    status := 'unauthenticated';
    RETURN NEXT;
    RETURN;
  END IF;
  SELECT * INTO known FROM action x WHERE x.id = p_id AND x.agent = coalesce(p_agent, x.agent) FOR UPDATE;
  status := CASE WHEN NOT FOUND THEN 'unknown_action'
    WHEN known.state = v_to AND known.execution_id = p_execution THEN 'again'
    WHEN known.state NOT IN ('executing', 'unknown') THEN 'wrong_state'
    WHEN known.execution_id IS DISTINCT FROM p_execution THEN 'other_execution' ELSE 'completed' END;
  IF status = 'completed' THEN
    SELECT encode(sha256(p.salt || convert_to(coalesce(p_result, 'null'), 'UTF8')), 'hex') INTO v_digest
    FROM action_private p WHERE p.action_id = p_id;
    v_from := known.state;
    UPDATE action SET state = v_to, revision = revision + 1, completed_at = p_now, result_digest = v_digest, error_code = p_error
    WHERE id = p_id RETURNING * INTO known;
    PERFORM moved(known, v_from, 'action.' || v_to, p_now, p_actor,
      jsonb_strip_nulls(jsonb_build_object('resultDigest', v_digest, 'error', p_error)));
    UPDATE credential SET revoked_at = p_now WHERE action_id = p_id AND revoked_at IS NULL;
    UPDATE action_private SET result = p_result WHERE action_id = p_id AND p_result IS NOT NULL;
  END IF;
  RETURN NEXT;
END $$;
