-- What grows by the day lies in partitions, by the time that stands in front of its id (UUIDv7, RFC 9562), and goes a
-- partition at a time. The default ones hold what has no other: ids of versions before, and what is kept for longer.
ALTER TABLE action RENAME TO action_before;
---
ALTER TABLE action_before DROP CONSTRAINT action_pkey CASCADE;
---
CREATE TABLE action (LIKE action_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS, PRIMARY KEY (id)) PARTITION BY RANGE (id);
---
CREATE TABLE action_kept PARTITION OF action DEFAULT;
---
-- A read that the policy decided is final when it is asked: one row, never changed, with its arguments.
CREATE TABLE read_record (
  id uuid PRIMARY KEY,
  agent text NOT NULL,
  idempotency_key text NOT NULL,
  agent_version text NOT NULL,
  tool text NOT NULL,
  segment text,
  arm text NOT NULL CHECK (arm IN ('control', 'candidate')),
  release text,
  rollout_id text,
  generation int,
  bucket int,
  phase text,
  event_day int,
  epoch bigint NOT NULL,
  grant_name text,
  state text NOT NULL CHECK (state IN ('approved', 'denied')),
  reasons jsonb NOT NULL,
  args_digest text NOT NULL,
  request_digest text NOT NULL,
  subject_id bigint,
  subject_digest text NOT NULL,
  summary text NOT NULL,
  why text,
  behind jsonb NOT NULL,
  links jsonb NOT NULL,
  redact jsonb NOT NULL,
  risk text NOT NULL,
  asked_at timestamptz NOT NULL,
  asked_by text NOT NULL,
  -- Null once erased.
  args text,
  context text,
  attributes text,
  salt bytea
) PARTITION BY RANGE (id);
---
CREATE TABLE read_record_kept PARTITION OF read_record DEFAULT;
---
INSERT INTO read_record
SELECT a.id, a.agent, a.idempotency_key, a.agent_version, a.tool, a.segment, a.arm, a.release, a.rollout_id, a.generation,
  a.bucket, a.phase, a.event_day, a.epoch, a.grant_name, a.state, a.reasons, a.args_digest, a.request_digest, a.subject_id,
  a.subject_digest, a.summary, a.why, a.behind, a.links, a.redact, a.risk, a.asked_at, a.asked_by,
  p.args, p.context, p.attributes, p.salt
FROM action_before a LEFT JOIN action_private p ON p.action_id = a.id
WHERE a.kind = 'read' AND a.decided_by = 'policy' AND a.state IN ('approved', 'denied');
---
INSERT INTO action SELECT * FROM action_before
WHERE NOT (kind = 'read' AND decided_by IS NOT DISTINCT FROM 'policy' AND state IN ('approved', 'denied'));
---
-- Keys that were asked under, kept by the time they were first sent; a key is looked for in every partition there is.
CREATE TABLE asked_key (
  agent text NOT NULL,
  key text NOT NULL,
  -- Begin of the partition.
  since timestamptz NOT NULL,
  action_id uuid NOT NULL,
  request_digest text NOT NULL,
  PRIMARY KEY (agent, key, since)
) PARTITION BY RANGE (since);
---
CREATE TABLE asked_key_kept PARTITION OF asked_key DEFAULT;
---
INSERT INTO asked_key (agent, key, since, action_id, request_digest)
SELECT agent, idempotency_key, date_bin('10 days', clock_timestamp() - interval '10 days', '2000-01-01 00:00:00+00'), id,
  request_digest
FROM action_before;
---
DO $$
DECLARE
  t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['action_private', 'decision', 'action_edit', 'seen', 'card_text', 'receipt', 'credential',
    'action_reach', 'action_alert', 'digest_item'] LOOP
    EXECUTE format('ALTER TABLE %I RENAME TO %I', t, t || '_before');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (action_id)',
      t, t || '_before');
    EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', t || '_kept', t);
    EXECUTE format('INSERT INTO %I SELECT b.* FROM %I b WHERE EXISTS (SELECT 1 FROM action a WHERE a.id = b.action_id)',
      t, t || '_before');
  END LOOP;
END $$;
---
ALTER SEQUENCE receipt_id_seq OWNED BY receipt.id;
---
DROP TABLE action_private_before, decision_before, action_edit_before, seen_before, card_text_before, receipt_before,
  credential_before, action_reach_before, action_alert_before, digest_item_before, action_before;
---
CREATE INDEX action_by_agent ON action (agent, id);
---
-- What is not over: all that waits, may begin or has begun. As large as that is, so that no plan of whoever looks at it can
-- be a bad one; kept by a trigger.
CREATE TABLE open_action (
  id uuid PRIMARY KEY,
  agent text NOT NULL,
  tool text NOT NULL,
  kind text NOT NULL,
  segment text,
  arm text NOT NULL,
  rollout_id text,
  epoch bigint NOT NULL,
  state text NOT NULL,
  decided_by text,
  asked_at timestamptz NOT NULL,
  expires_at timestamptz,
  deadline_at timestamptz
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
---
INSERT INTO open_action
SELECT id, agent, tool, kind, segment, arm, rollout_id, epoch, state, decided_by, asked_at, expires_at, deadline_at FROM action
WHERE state IN ('pending', 'executing') OR (state = 'approved' AND kind = 'write');
---
CREATE INDEX action_unknown ON action (id) WHERE state = 'unknown';
---
CREATE INDEX action_unreviewed ON action (decided_at) WHERE break_glass AND reviewed_at IS NULL;
---
CREATE INDEX action_by_rollout ON action (rollout_id, segment, arm, id);
---
CREATE INDEX action_by_grant ON action (agent, release, grant_name, tool) WHERE kind = 'write';
---
CREATE INDEX action_asked_of_people ON action (asked_at) WHERE approval IS NOT NULL;
---
CREATE INDEX action_corrected ON action (corrected_at) WHERE corrected_at IS NOT NULL;
---
-- What a card compares its arguments with: the last one like it that went ahead.
CREATE INDEX action_ahead ON action (agent, tool, segment, decided_at DESC, id) WHERE state IN ('approved', 'executing', 'executed');
---
CREATE INDEX action_by_event ON action (subject_digest, rollout_id) WHERE counts <> '{}';
---
CREATE INDEX action_by_same ON action (agent, same_digest, asked_at) WHERE same_digest <> '';
---
-- Whatever is of a subject, for its erasure: by ids, so that a batch does not pass over what those before took away.
CREATE INDEX action_by_subject ON action (subject_id, id) WHERE subject_id IS NOT NULL;
---
CREATE INDEX read_record_by_agent ON read_record (agent, id);
---
CREATE INDEX read_record_by_subject ON read_record (subject_id, id) WHERE subject_id IS NOT NULL;
---
ALTER TABLE action_private ADD PRIMARY KEY (action_id);
---
ALTER TABLE decision ADD PRIMARY KEY (action_id, round, person);
---
CREATE INDEX decision_by_time ON decision (at);
---
ALTER TABLE action_edit ADD PRIMARY KEY (action_id, round);
---
CREATE INDEX action_edit_by_time ON action_edit (at);
---
ALTER TABLE seen ADD PRIMARY KEY (action_id, person);
---
ALTER TABLE card_text ADD PRIMARY KEY (action_id, version);
---
ALTER TABLE receipt ADD PRIMARY KEY (action_id, id);
---
ALTER TABLE credential ADD PRIMARY KEY (action_id, jti);
---
ALTER TABLE action_reach ADD PRIMARY KEY (action_id, round, stage, person);
---
ALTER TABLE action_alert ADD PRIMARY KEY (action_id, round, stage, kind);
---
ALTER TABLE digest_item ADD PRIMARY KEY (action_id, channel, ts);
---
CREATE INDEX digest_item_by_message ON digest_item (channel, ts);
---
CREATE INDEX digest_item_by_time ON digest_item (listed_at);
