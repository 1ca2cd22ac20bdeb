-- While one is open nothing is dropped, however old.
CREATE TABLE retention_hold (
  id bigserial PRIMARY KEY,
  reason text NOT NULL,
  held_by text NOT NULL,
  held_at timestamptz NOT NULL,
  released_by text,
  released_at timestamptz
);
---
-- The head of the log where it was cut: verification goes on from here. Written before anything before it is dropped.
CREATE TABLE log_seal (
  seq bigint PRIMARY KEY,
  hash bytea NOT NULL,
  at timestamptz NOT NULL,
  -- A JWS over seq and hash.
  signed text NOT NULL,
  entries bigint NOT NULL,
  sealed_at timestamptz NOT NULL
);
---
-- What was dropped, and what of it was kept.
CREATE TABLE retention_drop (
  id bigserial PRIMARY KEY,
  name text NOT NULL,
  until timestamptz NOT NULL,
  bytes bigint NOT NULL,
  kept bigint NOT NULL,
  at timestamptz NOT NULL
);
