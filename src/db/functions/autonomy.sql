-- An incident takes back what was earned where it happened; what was allowed by it does not begin any more.
CREATE FUNCTION end_autonomy(p_agent text, p_segment text, p_at timestamptz, p_by text, p_incident text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  u autonomy;
BEGIN
  FOR u IN UPDATE autonomy x SET state = 'ask', changed_at = p_at, changed_by = p_by
    WHERE x.agent = p_agent AND x.state <> 'ask' AND (p_segment IS NULL OR x.segment = p_segment) RETURNING * LOOP
    PERFORM log_append('autonomy.taken_back', u.agent, u.agent || '/' || u.release || '/' || u.grant_name, p_at, p_by,
      jsonb_build_object('tool', u.tool, 'segment', u.segment, 'agentVersion', u.agent_version, 'because', 'incident',
      'incident', p_incident));
  END LOOP;
END $$;
---
-- Of an incident that the version before opens; whoever opens one now ends by name what it ends.
CREATE FUNCTION end_autonomy_with_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_autonomy(NEW.agent, NEW.segment, NEW.opened_at, NEW.opened_by, NEW.id);
  RETURN NULL;
END $$;
---
CREATE TRIGGER incident_ends_autonomy AFTER INSERT ON incident
  FOR EACH ROW WHEN (NEW.ended IS NULL) EXECUTE FUNCTION end_autonomy_with_incident();
