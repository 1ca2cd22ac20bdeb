-- RFC 8785 form of a document whose numbers are integers (other figures enter the log as strings).
-- Keys are compared as bytes, which equals UTF-16 order for the ASCII keys the log uses.
CREATE FUNCTION jcs(p jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE jsonb_typeof(p)
    WHEN 'object' THEN
      RETURN '{' || coalesce((SELECT string_agg(to_json(key)::text || ':' || jcs(value), ',' ORDER BY key COLLATE "C")
        FROM jsonb_each(p)), '') || '}';
    WHEN 'array' THEN
      RETURN '[' || coalesce((SELECT string_agg(jcs(value), ',' ORDER BY n)
        FROM jsonb_array_elements(p) WITH ORDINALITY AS e (value, n)), '') || ']';
    WHEN 'number' THEN
      IF (p #>> '{}')::numeric % 1 <> 0 OR abs((p #>> '{}')::numeric) > 9007199254740991 THEN
        RAISE EXCEPTION 'a number in the log is an exact integer or a string, not %', p;
      END IF;
      RETURN trunc((p #>> '{}')::numeric)::text;
    WHEN 'string' THEN
      RETURN to_json(p #>> '{}')::text;
    ELSE
      RETURN p::text;
  END CASE;
END $$;
---
CREATE FUNCTION iso(p timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT to_char(p AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;
---
-- One entry, committed with what it records and numbered later by sequence_log().
CREATE FUNCTION log_append(p_kind text, p_agent text, p_ref text, p_at timestamptz, p_actor text, p_data jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := nextval('log_entry_id_seq');
BEGIN
  INSERT INTO log_entry (id, at, kind, agent, ref, body)
  VALUES (v_id, p_at, p_kind, p_agent, p_ref, jcs(jsonb_strip_nulls(jsonb_build_object(
    'v', 1, 'id', v_id, 'at', iso(p_at), 'kind', p_kind, 'agent', p_agent, 'ref', p_ref, 'actor', p_actor,
    'data', p_data))));
  INSERT INTO log_unnumbered (entry_id) VALUES (v_id);
END $$;
---
-- Numbers and chains what is committed and not yet numbered: hash(n) = SHA-256(hash(n-1) || SHA-256(body)).
-- The caller holds the sequencer's lock. Returns how many it numbered.
CREATE FUNCTION sequence_log(p_most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  v_seq bigint;
  v_hash bytea;
  v_count int := 0;
  e record;
BEGIN
  IF NOT pg_try_advisory_xact_lock(727002) THEN RETURN 0; END IF;
  SELECT seq, hash INTO v_seq, v_hash FROM log_chain ORDER BY seq DESC LIMIT 1;
  v_seq := coalesce(v_seq, 0);
  v_hash := coalesce(v_hash, decode(repeat('00', 32), 'hex'));
  FOR e IN
    SELECT l.id, l.body FROM log_unnumbered u JOIN log_entry l ON l.id = u.entry_id ORDER BY l.id LIMIT p_most
  LOOP
    v_seq := v_seq + 1;
    v_hash := sha256(v_hash || sha256(convert_to(e.body, 'UTF8')));
    INSERT INTO log_chain (seq, entry_id, hash) VALUES (v_seq, e.id, v_hash);
    DELETE FROM log_unnumbered WHERE entry_id = e.id;
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;
---
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the log is append-only: % of % refused', TG_OP, TG_TABLE_NAME;
END $$;
---
CREATE TRIGGER log_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
---
CREATE TRIGGER log_chain_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_chain
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
