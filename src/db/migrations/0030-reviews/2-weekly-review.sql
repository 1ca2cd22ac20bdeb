-- A page a week and installation, frozen with its digest; late data make another version and never change one.
CREATE TABLE weekly_review (
  week text NOT NULL,
  version int NOT NULL,
  made_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,
  digest text NOT NULL,
  page_digest text NOT NULL,
  snapshot jsonb NOT NULL,
  difference jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (week, version)
);
---
-- Who of which function has read it, and what they said.
CREATE TABLE review_answer (
  id bigserial PRIMARY KEY,
  week text NOT NULL,
  version int NOT NULL,
  function text NOT NULL,
  person text NOT NULL,
  comment text,
  at timestamptz NOT NULL,
  via text NOT NULL
);
---
CREATE INDEX review_answer_by_week ON review_answer (week, function);
---
-- Where it was posted, step by step: what was done is not done again.
CREATE TABLE review_post (
  week text NOT NULL,
  version int NOT NULL,
  channel text NOT NULL,
  file_id text,
  ts text,
  posted_at timestamptz,
  PRIMARY KEY (week, version, channel)
);
