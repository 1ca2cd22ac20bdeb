-- The gate: every write begins under its shared lock, every change of what is in force takes it alone.
CREATE FUNCTION gate_key() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 727001::bigint $$;
---
CREATE FUNCTION raise_epoch() RETURNS bigint LANGUAGE sql AS $$
  UPDATE installation SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch
$$;
---
CREATE FUNCTION switched_off(p_agent text, p_tool text, p_kind text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM switch WHERE disabled AND (p_kind = 'write' OR reads)
    AND scope IN ('everything', 'agent/' || p_agent, 'tool/' || p_agent || '/' || p_tool))
$$;
