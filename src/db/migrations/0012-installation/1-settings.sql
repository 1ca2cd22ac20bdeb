-- What all processes of an installation have in common; null: nobody has said it yet. The first process that comes does.
ALTER TABLE installation
  ADD COLUMN day_ms bigint CHECK (day_ms > 0),
  ADD COLUMN public_url text,
  ADD COLUMN issuer text;
