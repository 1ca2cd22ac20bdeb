-- Actions and reads as one, for whoever looks and does not change; without `earns_from`, which only counters read.
CREATE VIEW any_action AS
SELECT id, agent, idempotency_key, request_digest, agent_version, tool, kind, segment, arm, release, rollout_id,
  generation, bucket, phase, event_day, epoch, grant_name, state, decided_by, superseded_because, revision, reasons,
  args_digest, subject_id, subject_digest, summary, why, behind, links, approval, credential, limits, asked_at,
  asked_by, expires_at, remind_at, decided_at, deny_reason, execution_id, began_at, start_by, deadline_at,
  completed_at, result_digest, error_code, corrected_by, corrected_at, correction_reason, round, stage, routed,
  risk, reminders, reach, standing_id, standing_wish, break_glass, reviewed_by, reviewed_at, review, earned,
  asked_by_key, behind_keys, redact, withdraw_reason, counts, begun_day, same_digest, card_version, stage_opened_at,
  ended_at, ended_by, ended_because
FROM action
UNION ALL
SELECT r.id, r.agent, r.idempotency_key, r.request_digest, r.agent_version, r.tool, 'read', r.segment, r.arm, r.release,
  r.rollout_id, r.generation, r.bucket, r.phase, r.event_day, r.epoch, r.grant_name, r.state, 'policy', NULL::text,
  1, r.reasons, r.args_digest, r.subject_id, r.subject_digest, r.summary, r.why, r.behind, r.links, NULL::jsonb,
  NULL::jsonb, '{}'::jsonb, r.asked_at, r.asked_by, NULL::timestamptz, NULL::timestamptz, r.asked_at, NULL::text,
  NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::text, NULL::text,
  NULL::text, NULL::timestamptz, NULL::text, 0, 0, '[]'::jsonb, r.risk, 0, NULL::jsonb, NULL::uuid, NULL::jsonb,
  false, NULL::text, NULL::timestamptz, NULL::jsonb, false, '', '[]'::jsonb, r.redact, NULL::text, '{}'::jsonb,
  NULL::int, '', 1, NULL::timestamptz, NULL::timestamptz, NULL::text, NULL::text FROM read_record r
---
-- The newest actions and reads, before p_before where it is given, of one agent or of all: by the order of an index, whatever
-- the statistics say of how many there are. One agent's in the order of agent and id, which its own index alone has.
CREATE FUNCTION newest_actions(p_agent text, p_before uuid, p_most int) RETURNS TABLE (id uuid, state text, segment text)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_sort = off AS $$
BEGIN
  p_before := coalesce(p_before, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  IF p_agent IS NULL THEN
    RETURN QUERY SELECT a.id, a.state, a.segment FROM any_action a WHERE a.id < p_before ORDER BY a.id DESC LIMIT p_most;
  ELSE
    RETURN QUERY SELECT a.id, a.state, a.segment FROM any_action a
      WHERE (a.agent, a.id) < (p_agent, p_before) AND a.agent >= p_agent ORDER BY a.agent DESC, a.id DESC LIMIT p_most;
  END IF;
END $$;
