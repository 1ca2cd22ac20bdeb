-- The one way an action changes state: compare-and-set on (state, revision) with its log entry and, where people, a
-- workflow or the agent's own server must follow, outbox entries. Returns false when the row was no longer as expected.
CREATE OR REPLACE FUNCTION move_action(p_id uuid, p_from text, p_revision int, p_to text, p_kind text,
  p_at timestamptz, p_actor text, p_data jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  a action;
BEGIN
  UPDATE action SET state = p_to, revision = revision + 1
  WHERE id = p_id AND state = p_from AND revision = p_revision RETURNING * INTO a;
  IF NOT FOUND THEN RETURN false; END IF;
  PERFORM log_append(p_kind, a.agent, a.id::text, p_at, p_actor,
    p_data || jsonb_build_object('from', p_from, 'to', p_to, 'revision', a.revision));
  IF a.kind = 'write' AND (a.decided_by IS DISTINCT FROM 'policy' OR p_to = 'unknown') THEN
    INSERT INTO outbox (topic, key) VALUES ('action', a.id::text);
  END IF;
  -- That it begins, the agent knows: it began it.
  IF a.kind = 'write' AND p_to <> 'executing'
    AND EXISTS (SELECT 1 FROM agent g WHERE g.name = a.agent AND g.manifest #>> '{callback,url}' IS NOT NULL) THEN
    INSERT INTO outbox (topic, key, payload) VALUES ('callback', a.id || '/' || a.revision,
      jsonb_build_object('state', p_to, 'at', iso(p_at)));
  END IF;
  RETURN true;
END $$;
