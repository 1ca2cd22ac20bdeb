-- Slack accounts that were people lately: a stop or a denial goes by this for a day when Slack does not answer.
CREATE TABLE slack_account (
  slack text PRIMARY KEY,
  email text,
  known_at timestamptz NOT NULL
);
