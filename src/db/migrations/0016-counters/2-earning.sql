CREATE FUNCTION pg_temp.since(p_agent text, p_release text, p_grant text, p_tool text, p_segment text, p_build text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT greatest('epoch', (SELECT u.evidence_from FROM autonomy u WHERE u.agent = p_agent AND u.release = p_release
      AND u.grant_name = p_grant AND u.tool = p_tool AND u.segment = p_segment AND u.agent_version = p_build),
    (SELECT max(i.opened_at) FROM incident i WHERE i.agent = p_agent AND coalesce(i.segment, p_segment) = p_segment))
$$;
---
CREATE TEMP TABLE slice_before ON COMMIT DROP AS
SELECT x.*, pg_temp.since(x.agent, x.release, x.grant_name, x.tool, x.segment, x.agent_version) AS since
FROM (SELECT DISTINCT agent, release, grant_name, tool, segment, agent_version FROM action
  WHERE kind = 'write' AND grant_name IS NOT NULL AND segment IS NOT NULL) x;
---
UPDATE action a SET earns_from = s.since FROM slice_before s
WHERE s.since > 'epoch' AND a.kind = 'write' AND a.agent = s.agent AND a.release = s.release AND a.grant_name = s.grant_name
  AND a.tool = s.tool AND a.segment = s.segment AND a.agent_version = s.agent_version AND a.asked_at > s.since;
---
-- What is stored is counted as soon as what happens is counted too: see recountOnce().
INSERT INTO recount_due (at) VALUES (clock_timestamp());
