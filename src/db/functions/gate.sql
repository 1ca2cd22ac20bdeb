-- The gate: every write begins under its shared lock, every change of what is in force takes it alone.
CREATE FUNCTION gate_key() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 727001::bigint $$;
---
CREATE FUNCTION raise_epoch() RETURNS bigint LANGUAGE sql AS $$
  UPDATE installation SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch
$$;
---
-- Whom a switch's scope is about; null: all of them. src/domain/scope.ts reads the same forms.
CREATE FUNCTION read_scope(p_scope text, OUT agent text, OUT tool text) RETURNS record LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_name constant text := '[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}';
BEGIN
  IF p_scope IS NULL OR p_scope !~ format('^(everything|agent/%1$s|tool/%1$s/%1$s)$', v_name) THEN
    RAISE EXCEPTION 'scope "%" is not everything, agent/<agent> or tool/<agent>/<tool>', p_scope USING ERRCODE = '22023';
  END IF;
  agent := nullif(split_part(p_scope, '/', 2), '');
  tool := nullif(split_part(p_scope, '/', 3), '');
END $$;
---
-- Whether something was stopped after it had been decided under this epoch, enabled again or not.
CREATE FUNCTION stopped_since(p_epoch bigint, p_agent text, p_tool text, p_kind text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM stop WHERE epoch > p_epoch AND (p_kind = 'write' OR reads)
    AND scope IN ('everything', 'agent/' || p_agent, 'tool/' || p_agent || '/' || p_tool))
$$;
---
CREATE FUNCTION switched_off(p_agent text, p_tool text, p_kind text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM switch WHERE disabled AND (p_kind = 'write' OR reads)
    AND scope IN ('everything', 'agent/' || p_agent, 'tool/' || p_agent || '/' || p_tool))
$$;
