-- The last point of a series of OpenTelemetry that counted, by the metric it counts in; dropped when it is long silent.
CREATE TABLE otlp_series (
  agent text NOT NULL REFERENCES agent (name),
  metric text NOT NULL,
  -- The digest of instrument, scope and attributes.
  series text NOT NULL,
  -- Nanoseconds since 1970.
  start numeric(20, 0) NOT NULL,
  time numeric(20, 0) NOT NULL,
  events double precision NOT NULL,
  harms double precision NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (agent, metric, series)
);
---
CREATE INDEX otlp_series_seen ON otlp_series (seen_at);
---
-- When an exporter, by the digest of its resource, was last heard, whatever it sent.
CREATE TABLE otlp_exporter (
  agent text NOT NULL REFERENCES agent (name),
  exporter text NOT NULL,
  heard_at timestamptz NOT NULL,
  PRIMARY KEY (agent, exporter)
);
---
CREATE INDEX otlp_exporter_heard ON otlp_exporter (heard_at);
---
-- Which exporters count a metric of a release: when none of them is heard any more, its source is down.
CREATE TABLE otlp_sender (
  agent text NOT NULL,
  metric text NOT NULL,
  release text NOT NULL,
  exporter text NOT NULL,
  PRIMARY KEY (agent, metric, release, exporter),
  FOREIGN KEY (agent, exporter) REFERENCES otlp_exporter ON DELETE CASCADE
);
---
CREATE INDEX otlp_sender_exporter ON otlp_sender (agent, exporter);
---
-- What such points came to, minute by minute; dropped when no rollout reads it any more.
CREATE TABLE otlp_count (
  agent text NOT NULL REFERENCES agent (name),
  metric text NOT NULL,
  release text NOT NULL,
  segment text NOT NULL,
  minute timestamptz NOT NULL,
  events double precision NOT NULL,
  harms double precision NOT NULL,
  PRIMARY KEY (agent, metric, release, segment, minute)
);
---
CREATE INDEX otlp_count_minute ON otlp_count (minute);
