-- Whether a token that was looked up while tokens were of this epoch has been revoked by nobody: asked in the statement that
-- acts, so that a revocation holds at once in every process. When it ends by itself whoever looked it up knows.
CREATE FUNCTION token_still_good(p_token uuid, p_epoch bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM installation WHERE token_epoch = p_epoch)
    OR EXISTS (SELECT 1 FROM token WHERE id = p_token AND revoked_at IS NULL)
$$;
---
-- Whoever ends or changes a token, by a verb or by hand, in this version or an earlier one.
CREATE FUNCTION raise_token_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE installation SET token_epoch = token_epoch + 1;
  RETURN NULL;
END $$;
---
CREATE TRIGGER token_changes AFTER UPDATE OR DELETE OR TRUNCATE ON token
  FOR EACH STATEMENT EXECUTE FUNCTION raise_token_epoch();
