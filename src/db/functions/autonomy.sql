-- An incident takes back what was earned where it happened; what was allowed by it does not begin any more.
CREATE FUNCTION end_autonomy_with_incident() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  u autonomy;
BEGIN
  FOR u IN UPDATE autonomy x SET state = 'ask', changed_at = NEW.opened_at, changed_by = NEW.opened_by
    WHERE x.agent = NEW.agent AND x.state <> 'ask' AND (NEW.segment IS NULL OR x.segment = NEW.segment) RETURNING * LOOP
    PERFORM log_append('autonomy.taken_back', u.agent, u.agent || '/' || u.release || '/' || u.grant_name, NEW.opened_at,
      NEW.opened_by, jsonb_build_object('tool', u.tool, 'segment', u.segment, 'agentVersion', u.agent_version,
      'because', 'incident', 'incident', NEW.id));
  END LOOP;
  RETURN NULL;
END $$;
---
CREATE TRIGGER incident_ends_autonomy AFTER INSERT ON incident
  FOR EACH ROW EXECUTE FUNCTION end_autonomy_with_incident();
