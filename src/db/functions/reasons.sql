-- Whether people see anything of a text that says something: saysSomething() of src/domain/unseen.ts, which is stricter
-- about punctuation beyond ASCII, says the same. The list is the engine's data of Unicode, and a test compares the two
-- over every character (test/integration/db/reasons.test.ts).
CREATE FUNCTION says_something(p_text text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(p_text, '') ~ ('[^\u0001-#%-*,-/:-;?-@\[-\]_{}\u007f-\u00a0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f'
    || '\u0890-\u0891\u08e2\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f\u2000-\u202f\u205f-\u206f\u2800\u3000\u3164'
    || '\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U000110bd\U000110cd\U00013430-\U0001343f'
    || '\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U0010fffd]')
$$;
---
-- Of every function that takes a reason.
CREATE FUNCTION require_reason(p_reason text) RETURNS void LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF NOT says_something(p_reason) THEN
    RAISE EXCEPTION 'a reason is needed that people can see: letters, digits or symbols' USING ERRCODE = '22023';
  END IF;
END $$;
