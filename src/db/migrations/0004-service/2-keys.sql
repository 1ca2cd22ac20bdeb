-- Every key that ever signed: the public part for ever, since receipts do not end; the private part sealed, and only
-- while it signs.
CREATE TABLE signing_key (
  kid text PRIMARY KEY,
  public_jwk jsonb NOT NULL,
  sealed text,
  created_at timestamptz NOT NULL,
  retired_at timestamptz,
  served_until timestamptz,
  CHECK ((retired_at IS NULL) = (served_until IS NULL))
);
---
CREATE UNIQUE INDEX signing_key_current ON signing_key ((true)) WHERE retired_at IS NULL;
---
-- What an earlier version kept in clear is sealed, and taken out, by the first start of this one.
ALTER TABLE installation ADD COLUMN sealed_secret text, ALTER COLUMN secret DROP NOT NULL,
  ALTER COLUMN signing_key DROP NOT NULL;
