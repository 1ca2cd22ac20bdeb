-- Web sessions that were signed out before their cookie was over.
CREATE TABLE ended_session (
  id uuid PRIMARY KEY,
  until timestamptz NOT NULL
);
