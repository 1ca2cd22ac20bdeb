-- Each topic is dispatched by itself: what waits of one does not stand before another.
CREATE INDEX outbox_by_topic ON outbox (topic, id);
---
-- Builds of the workflows' code in the order in which this installation came to know them: the latest one is made current.
CREATE TABLE worker_build (
  build text PRIMARY KEY,
  first_at timestamptz NOT NULL
);
