-- An entry waits here, committed with what it records, until it is numbered.
ALTER TABLE log_entry RENAME TO log_before;
---
ALTER TABLE log_chain RENAME TO log_chain_before;
---
ALTER TABLE log_unnumbered RENAME TO log_unnumbered_before;
---
ALTER INDEX log_entry_by_ref RENAME TO log_before_by_ref;
---
CREATE TABLE log_unnumbered (
  id bigserial,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  agent text,
  ref text,
  body text NOT NULL
);
---
-- The log, numbered and chained: hash(n) = SHA-256(hash(n-1) || SHA-256(body)).
CREATE TABLE log_entry (
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  agent text,
  ref text,
  body text NOT NULL,
  hash bytea NOT NULL
) PARTITION BY RANGE (seq);
---
DO $$
BEGIN
  EXECUTE format('CREATE TABLE log_entry_1 PARTITION OF log_entry FOR VALUES FROM (1) TO (%s)',
    (SELECT coalesce(max(seq), 0) + 10000 FROM log_chain_before));
END $$;
---
INSERT INTO log_entry (seq, at, kind, agent, ref, body, hash)
SELECT c.seq, e.at, e.kind, e.agent, e.ref, e.body, c.hash FROM log_chain_before c JOIN log_before e ON e.id = c.entry_id;
---
INSERT INTO log_unnumbered (at, kind, agent, ref, body)
SELECT e.at, e.kind, e.agent, e.ref, e.body FROM log_unnumbered_before u JOIN log_before e ON e.id = u.entry_id ORDER BY e.id;
---
DROP TABLE log_unnumbered_before, log_chain_before, log_before;
---
ALTER TABLE log_unnumbered ADD PRIMARY KEY (id);
---
ALTER TABLE log_entry ADD PRIMARY KEY (seq);
---
CREATE INDEX log_entry_by_ref ON log_entry (ref, seq);
---
CREATE INDEX log_entry_by_kind ON log_entry (kind, seq);
---
CREATE INDEX log_entry_by_agent ON log_entry (agent, seq);
