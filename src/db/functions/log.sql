-- RFC 8785 form of a document whose numbers are integers (other figures enter the log as strings).
-- Keys are compared as bytes, which equals UTF-16 order for the ASCII keys the log uses.
CREATE FUNCTION jcs(p jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  CASE jsonb_typeof(p)
    WHEN 'object' THEN
      -- Most are text: without a call of their own.
      RETURN '{' || coalesce((SELECT string_agg(to_json(key)::text || ':' || CASE jsonb_typeof(value)
          WHEN 'string' THEN to_json(value #>> '{}')::text ELSE jcs(value) END, ',' ORDER BY key COLLATE "C")
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
-- The body of an entry, byte for byte what is hashed. bodyOf() of src/records/log-entry.ts makes those of many at once.
CREATE FUNCTION log_body(p_kind text, p_agent text, p_ref text, p_at timestamptz, p_actor text, p_data jsonb)
RETURNS text LANGUAGE sql STABLE AS $$
  SELECT jcs(jsonb_strip_nulls(jsonb_build_object('v', 2, 'at', iso(p_at), 'kind', p_kind, 'agent', p_agent, 'ref', p_ref,
    'actor', p_actor, 'data', p_data)))
$$;
---
-- One entry, committed with what it records and numbered later by sequence_log().
CREATE FUNCTION log_append(p_kind text, p_agent text, p_ref text, p_at timestamptz, p_actor text, p_data jsonb)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO log_unnumbered (at, kind, agent, ref, body)
  VALUES (p_at, p_kind, p_agent, p_ref, log_body(p_kind, p_agent, p_ref, p_at, p_actor, p_data))
$$;
---
-- Numbers and chains what is committed: hash(n) = SHA-256(hash(n-1) || SHA-256(body)). One at a time; another gets 0.
-- p_after: up to which id nothing can be committed any more, so that what was taken away there is not walked over again.
-- Returns how many it numbered and the largest id of them.
CREATE FUNCTION sequence_log(p_most int, p_after bigint, OUT numbered int, OUT reached bigint) RETURNS record
LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_seq bigint;
  v_hash bytea;
  v_hashes bytea[] := '{}';
  v_ids bigint[];
  v_body text;
BEGIN
  numbered := 0;
  reached := p_after;
  IF NOT pg_try_advisory_xact_lock(727002) THEN RETURN; END IF;
  SELECT array_agg(u.id ORDER BY u.id) INTO v_ids
  FROM (SELECT id FROM log_unnumbered WHERE id > p_after ORDER BY id LIMIT p_most) u;
  IF v_ids IS NULL THEN RETURN; END IF;
  SELECT seq, hash INTO v_seq, v_hash FROM log_entry ORDER BY seq DESC LIMIT 1;
  v_seq := coalesce(v_seq, 0);
  v_hash := coalesce(v_hash, decode(repeat('00', 32), 'hex'));
  FOR v_body IN SELECT body FROM log_unnumbered WHERE id = ANY (v_ids) ORDER BY id LOOP
    v_hash := sha256(v_hash || sha256(convert_to(v_body, 'UTF8')));
    v_hashes := v_hashes || v_hash;
  END LOOP;
  INSERT INTO log_entry (seq, at, kind, agent, ref, body, hash)
  SELECT v_seq + n.n, u.at, u.kind, u.agent, u.ref, u.body, n.hash
  FROM unnest(v_ids, v_hashes) WITH ORDINALITY AS n (id, hash, n) JOIN log_unnumbered u ON u.id = n.id ORDER BY n.n;
  PERFORM set_config('portcullis.numbers', 'on', true);
  DELETE FROM log_unnumbered WHERE id = ANY (v_ids);
  PERFORM set_config('portcullis.numbers', 'off', true);
  numbered := cardinality(v_ids);
  reached := v_ids[numbered];
END $$;
---
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'log_unnumbered' AND TG_OP = 'DELETE' AND current_setting('portcullis.numbers', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the log is append-only: % of % refused', TG_OP, TG_TABLE_NAME;
END $$;
---
-- By the row, so that it holds for each partition too.
CREATE TRIGGER log_entry_append_only BEFORE UPDATE OR DELETE ON log_entry
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
---
CREATE TRIGGER log_entry_not_emptied BEFORE TRUNCATE ON log_entry
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
---
CREATE TRIGGER log_unnumbered_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_unnumbered
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
