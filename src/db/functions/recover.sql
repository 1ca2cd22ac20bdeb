-- After a restore: what was decided since the backup is lost, and nobody knows what of it took away. So whatever may have been
-- taken away is taken back until people give it again, once everything is disabled:
-- * the epoch jumps over all that the lost store can have reached, and so do the revisions that workflows plan from;
-- * exposed segments of open rollouts are rolled back, and those rollouts paused;
-- * what was earned is asked again, deputies end, and so does every token unless p_keep_tokens.
CREATE FUNCTION recover_store(p_reason text, p_actor text, p_now timestamptz, p_keep_tokens boolean) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  c_epochs constant bigint := 1000000000;
  c_revisions constant int := 1000000;
  c_because constant text := 'the store was restored';
  v_before bigint;
  v_epoch bigint;
  v_segments jsonb;
  v_tokens int := 0;
  v_deputies int;
  v_answer jsonb;
  s record;
  u autonomy;
BEGIN
  PERFORM require_reason(p_reason);
  PERFORM set_config('application_name', 'portcullis stop recover', true);
  PERFORM pg_advisory_xact_lock(gate_key());
  IF NOT EXISTS (SELECT 1 FROM switch WHERE scope = 'everything' AND disabled AND reads) THEN
    RAISE EXCEPTION 'everything, reads too, is disabled first' USING ERRCODE = '22023';
  END IF;
  SELECT epoch INTO v_before FROM installation;
  UPDATE installation SET epoch = (epoch / c_epochs + 1) * c_epochs RETURNING epoch INTO v_epoch;
  FOR u IN UPDATE autonomy SET state = 'ask', evidence_from = p_now, changed_at = p_now, changed_by = p_actor
    WHERE state <> 'ask' RETURNING * LOOP
    PERFORM log_append('autonomy.taken_back', u.agent, u.agent || '/' || u.release || '/' || u.grant_name, p_now, p_actor,
      jsonb_build_object('tool', u.tool, 'segment', u.segment, 'agentVersion', u.agent_version, 'because', 'recover'));
  END LOOP;
  SELECT coalesce(jsonb_agg(jsonb_build_object('rollout', x.rollout_id, 'agent', o.agent, 'segment', x.segment,
    'exposureBefore', x.exposure) ORDER BY x.rollout_id, x.segment), '[]') INTO v_segments
  FROM rollout_segment x JOIN rollout o ON o.id = x.rollout_id WHERE o.ended_at IS NULL AND x.state = 'exposed';
  FOR s IN SELECT e ->> 'rollout' AS rollout, e ->> 'segment' AS segment FROM jsonb_array_elements(v_segments) e LOOP
    PERFORM rollback_segment(s.rollout, s.segment, NULL, v_epoch, p_now, p_actor, c_because, 'null',
      jsonb_build_object('because', c_because, 'incident', 'inc-' || left(replace(gen_random_uuid()::text, '-', ''), 10)));
  END LOOP;
  UPDATE rollout SET status = 'paused', gate_approved_by = NULL, revision = revision + c_revisions,
    paused_at = p_now, paused_by = p_actor, paused_because = c_because || ': ' || p_reason WHERE ended_at IS NULL;
  UPDATE deputy SET revoked_at = p_now, revoked_by = p_actor WHERE revoked_at IS NULL AND ends_at > p_now;
  GET DIAGNOSTICS v_deputies = ROW_COUNT;
  IF NOT p_keep_tokens THEN
    UPDATE token SET revoked_at = p_now WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > p_now);
    GET DIAGNOSTICS v_tokens = ROW_COUNT;
  END IF;
  v_answer := jsonb_build_object('epochBefore', v_before, 'epoch', v_epoch, 'tokensRevoked', v_tokens,
    'deputiesEnded', v_deputies, 'segments', v_segments);
  PERFORM log_append('store.recovered', NULL, NULL, p_now, p_actor, v_answer || jsonb_build_object('reason', p_reason));
  RETURN v_answer || jsonb_build_object('inForce', (SELECT coalesce(jsonb_agg(jsonb_build_object('agent', i.agent,
    'segment', i.segment, 'release', i.release, 'since', iso(i.since)) ORDER BY i.agent, i.segment), '[]') FROM in_force i));
END $$;
