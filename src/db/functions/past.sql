-- What was asked since then, a page of it, the newest first: what waits or writes with what it was asked with before any edit.
-- By the order of an index and each by its key, whatever the statistics say.
CREATE FUNCTION past_actions(p_agent text, p_from uuid, p_before uuid, p_since timestamptz, p_most int)
RETURNS TABLE (id uuid, asked_at timestamptz, tool text, segment text, arm text, generation int, state text, decided_by text,
  standing_id uuid, approval jsonb, reasons jsonb, round int, corrected_at timestamptz, args text, context text,
  attributes text, subject text, kind text, behind jsonb, redact jsonb)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY
  WITH page AS MATERIALIZED (
    SELECT a.* FROM action a
    WHERE a.agent = p_agent AND a.id >= p_from AND a.id < p_before AND a.asked_at >= p_since ORDER BY a.id DESC LIMIT p_most
  )
  SELECT a.id, a.asked_at, a.tool, a.segment, a.arm, a.generation, a.state, a.decided_by, a.standing_id, a.approval, a.reasons,
    a.round, a.corrected_at,
    CASE WHEN a.round = 0 THEN p.args
      ELSE (SELECT e.args_before FROM action_edit e WHERE e.action_id = a.id ORDER BY e.round LIMIT 1) END,
    p.context, p.attributes, s.name, a.kind, a.behind, a.redact
  FROM page a LEFT JOIN action_private p ON p.action_id = a.id LEFT JOIN subject s ON s.id = a.subject_id
  ORDER BY a.id DESC;
END $$;
---
-- The same of reads that the policy decided.
CREATE FUNCTION past_reads(p_agent text, p_from uuid, p_before uuid, p_since timestamptz, p_most int)
RETURNS TABLE (id uuid, asked_at timestamptz, tool text, segment text, arm text, generation int, state text, decided_by text,
  standing_id uuid, approval jsonb, reasons jsonb, round int, corrected_at timestamptz, args text, context text,
  attributes text, subject text, kind text, behind jsonb, redact jsonb)
LANGUAGE plpgsql STABLE SET enable_seqscan = off SET enable_sort = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
  RETURN QUERY
  WITH page AS MATERIALIZED (
    SELECT r.* FROM read_record r
    WHERE r.agent = p_agent AND r.id >= p_from AND r.id < p_before AND r.asked_at >= p_since ORDER BY r.id DESC LIMIT p_most
  )
  SELECT r.id, r.asked_at, r.tool, r.segment, r.arm, r.generation, r.state, 'policy', NULL::uuid, NULL::jsonb, r.reasons, 0,
    NULL::timestamptz, r.args, r.context, r.attributes, s.name, 'read', r.behind, r.redact
  FROM page r LEFT JOIN subject s ON s.id = r.subject_id
  ORDER BY r.id DESC;
END $$;
