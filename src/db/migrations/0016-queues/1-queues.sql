-- Each topic is dispatched by itself: what waits of one does not stand before another.
CREATE INDEX outbox_by_topic ON outbox (topic, id);
---
-- Builds of the workflows' code in the order in which this installation came to know them: the latest one is made current.
CREATE TABLE worker_build (
  build text PRIMARY KEY,
  first_at timestamptz NOT NULL
);
---
-- Digests of the addresses that took it: one that does not, or hangs, has it sent to none of the others again.
ALTER TABLE alert ADD COLUMN webhooks_taken text[] NOT NULL DEFAULT '{}';
