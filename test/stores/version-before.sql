-- Written by npm run freeze: what the service of the version before sends.
---
DELETE FROM callback WHERE at < $1
---
DELETE FROM restarted_workflow WHERE at < $1
---
INSERT INTO reconciliation (at, open) VALUES ($1, $2)
      ON CONFLICT (id) DO UPDATE SET at = excluded.at, open = excluded.open
---
SELECT (count(*) FILTER (WHERE a.break_glass))::int AS broken,
      (count(*) FILTER (WHERE a.break_glass AND a.reviewed_at IS NOT NULL))::int AS reviewed,
      (count(*) FILTER (WHERE a.break_glass AND a.review ->> 'justified' = 'false'))::int AS unjustified,
      count(a.standing_id)::int AS used,
      (SELECT count(*)::int FROM standing_approval s WHERE s.starts_at >= $1
        AND ($2::text IS NULL OR s.agent = $3::text)) AS started
    FROM action a WHERE a.approval IS NOT NULL AND a.asked_at >= $4 AND ($5::text IS NULL OR a.agent = $6::text)
---
SELECT (f.a).*, f.manifest, f.members, f.deputies, f.sources, f.editors, f.answers,
      f.looked_at, f.posted_at, f.card_text
    FROM action_to_decide($1, $2, $3, $4, $5) AS f
---
SELECT * FROM record_answer($1::jsonb,
    $2::jsonb, $3::jsonb, $4::jsonb)
---
SELECT 1
---
SELECT NOT EXISTS (SELECT 1 FROM rollout_segment
        WHERE rollout_id = $1 AND segment = $2 AND (exposure > 0 OR state <> 'rolled_back'))
      AND NOT EXISTS (SELECT 1 FROM action WHERE rollout_id = $3 AND segment = $4
        AND arm = 'candidate' AND kind = 'write' AND state IN ('pending', 'approved')) AS closed
---
SELECT a.agent, a.tool, a.risk, count(*)::int AS asked,
      (count(*) FILTER (WHERE a.decided_at IS NOT NULL AND a.state <> 'denied'))::int AS approved,
      (count(*) FILTER (WHERE a.state = 'denied'))::int AS denied,
      (count(*) FILTER (WHERE a.state = 'expired' AND a.decided_at IS NULL))::int AS expired,
      (count(*) FILTER (WHERE a.state IN ('withdrawn', 'superseded', 'disabled') AND a.decided_at IS NULL))::int
        AS stopped,
      (count(*) FILTER (WHERE a.state = 'pending'))::int AS waiting,
      (count(*) FILTER (WHERE a.round > 0))::int AS edited,
      (count(*) FILTER (WHERE a.state = 'expired' AND a.decided_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.action_id = a.id)))::int AS unanswered,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY (extract(epoch FROM a.decided_at - a.asked_at) * 1000)::float8) AS p50_wait_ms
    FROM action a WHERE a.approval IS NOT NULL AND a.standing_id IS NULL AND a.asked_at >= $1 AND ($2::text IS NULL OR a.agent = $3::text)
    GROUP BY a.agent, a.tool, a.risk ORDER BY asked DESC, a.agent, a.tool, a.risk
---
SELECT a.id, a.asked_at, a.tool, a.segment, a.arm, a.generation, a.state, a.decided_by, a.standing_id, a.approval,
        a.reasons, a.round, a.corrected_at, p.context, p.attributes, s.name AS subject,
        CASE WHEN a.round = 0 THEN p.args ELSE (SELECT e.args_before FROM action_edit e WHERE e.action_id = a.id
          ORDER BY e.round LIMIT 1) END AS args
      FROM action a LEFT JOIN action_private p ON p.action_id = a.id LEFT JOIN subject s ON s.id = a.subject_id
      WHERE a.agent = $1 AND a.asked_at >= $2 AND a.kind = $3 
      ORDER BY a.asked_at DESC, a.id LIMIT $4
---
SELECT a.manifest AS agent,
      coalesce((SELECT jsonb_agg(jsonb_build_object('group', m.grp, 'person', m.person) ORDER BY m.grp, m.person)
        FROM agent_approver m WHERE m.agent = a.name AND m.grp = ANY ($1::text[])
          AND coalesce(m.from_at, '-infinity') <= $2 AND coalesce(m.until_at, 'infinity') > $3), '[]') AS members,
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'from', d.from_person, 'to', d.to_person,
          'group', d.grp) ORDER BY d.starts_at, d.id)
        FROM deputy d WHERE d.agent = a.name AND d.starts_at <= $4 AND d.ends_at > $5
          AND d.revoked_at IS NULL), '[]') AS deputies,
      coalesce((SELECT jsonb_agg(s.grp) FROM group_source s WHERE s.agent = a.name AND s.fresh_until > $6), '[]')
        AS fresh
    FROM agent a WHERE a.name = $7
---
SELECT admit_subject($1, $2, $3, $4) AS admitted
---
SELECT at AS since FROM callback WHERE at > $1 ORDER BY at LIMIT 1
---
SELECT at AS since FROM evidence_due ORDER BY id LIMIT 1
---
SELECT at AS since FROM stop_intent WHERE closed_at IS NULL ORDER BY id LIMIT 1
---
SELECT build, segment, metric, sum(events)::int AS events, sum(harms)::int AS harms, sum(known)::int AS known
    FROM day_count WHERE rollout_id = $1 AND arm = 'candidate' GROUP BY build, segment, metric
    ORDER BY build, segment, metric
---
SELECT clock_timestamp() AS now
---
SELECT count(*) AS ahead FROM action a JOIN action o ON o.agent = a.agent AND o.state = 'pending'
      AND (o.asked_at, o.id) < (a.asked_at, a.id)
    WHERE a.id = $1 AND EXISTS (
      SELECT 1 FROM (
  SELECT need ->> 'group' AS grp FROM jsonb_array_elements(a.approval -> 'stages' -> a.stage) AS need
  UNION SELECT route ->> 'group' FROM jsonb_array_elements(a.routed) AS route
  WHERE (route ->> 'stage')::int = a.stage) x JOIN (
  SELECT need ->> 'group' AS grp FROM jsonb_array_elements(o.approval -> 'stages' -> o.stage) AS need
  UNION SELECT route ->> 'group' FROM jsonb_array_elements(o.routed) AS route
  WHERE (route ->> 'stage')::int = o.stage) y ON y.grp = x.grp)
---
SELECT count(*)::int AS count, percentile_cont(0.5) WITHIN GROUP (ORDER BY (extract(epoch FROM a.decided_at - a.asked_at) * 1000)::float8) AS p50_ms, sum((extract(epoch FROM a.decided_at - a.asked_at) * 1000)::float8) AS total_ms
    FROM action a WHERE a.approval IS NOT NULL AND a.standing_id IS NULL AND a.kind = 'write' AND a.state = 'executed' AND a.corrected_at IS NULL
      AND a.asked_at >= $1 AND ($2::text IS NULL OR a.agent = $3::text)
---
SELECT count(*)::int AS count, percentile_cont(0.5) WITHIN GROUP (ORDER BY (extract(epoch FROM coalesce(a.decided_at, a.expires_at) - a.asked_at) * 1000)::float8) AS p50_ms, sum((extract(epoch FROM coalesce(a.decided_at, a.expires_at) - a.asked_at) * 1000)::float8) AS total_ms,
      (count(*) FILTER (WHERE a.state = 'denied' AND a.decided_by = 'person'))::int AS by_people,
      (count(*) FILTER (WHERE a.state = 'denied' AND a.decided_by = 'policy'))::int AS by_policy,
      (count(*) FILTER (WHERE a.state = 'expired'))::int AS expired
    FROM action a WHERE a.kind = 'write' AND a.state IN ('denied', 'expired') AND a.corrected_at >= $1
      AND ($2::text IS NULL OR a.agent = $3::text)
---
SELECT count(*)::int AS tail FROM (SELECT 1 FROM log_unnumbered LIMIT $1) AS u
---
SELECT count_evidence($1) AS n
---
SELECT created_at AS since FROM alert
    WHERE delivered_at IS NULL AND created_at > $1 ORDER BY created_at LIMIT 1
---
SELECT created_at AS since FROM outbox ORDER BY id LIMIT 1
---
SELECT disable_switch($1, $2, $3, $4, $5, $6) AS answer
---
SELECT e.at AS since FROM log_entry e WHERE e.id = (SELECT entry_id FROM log_unnumbered ORDER BY entry_id LIMIT 1)
---
SELECT e.editor AS person, count(*)::int AS edited FROM action_edit e JOIN action a ON a.id = e.action_id
    WHERE e.at >= $1 AND ($2::text IS NULL OR a.agent = $3::text) GROUP BY e.editor
---
SELECT enable_switch($1, $2, $3, $4) AS answer
---
SELECT epoch AS value FROM installation
---
SELECT epoch FROM installation
---
SELECT epoch, (SELECT count(*)::int FROM switch WHERE disabled) AS "stopsInForce" FROM installation
---
SELECT extract(epoch FROM $1::timestamptz - at)::float8 AS value FROM reconciliation
---
SELECT intend_stop($1, $2, $3, $4, $5) AS id
---
SELECT know_event($1, $2, $3::double precision, $4)
---
SELECT least(
    (SELECT expires_at FROM action WHERE state IN ('pending', 'approved') AND expires_at < $1
      ORDER BY expires_at LIMIT 1),
    (SELECT deadline_at FROM action WHERE state = 'executing' AND deadline_at < $2 ORDER BY deadline_at LIMIT 1),
    (SELECT min(expires_at) FROM standing_approval WHERE ended_at IS NULL AND expires_at < $3)) AS since
---
SELECT log_append($1, $2, $3, $4, $5,
    $6::jsonb)
---
SELECT min(next_at) AS since FROM group_source WHERE next_at < $1
---
SELECT min(since) AS since FROM judge_queue
---
SELECT move_action($1, $2, $3, $4,
    $5, $6, $7, $8::jsonb) AS moved
---
SELECT n, status, id FROM ask_actions($1::jsonb, $2)
        ORDER BY n
---
SELECT person, count(*)::int AS asked FROM (
      SELECT a.id, p.person FROM action a, jsonb_array_elements_text(a.reach -> 'people') AS p (person)
      WHERE a.approval IS NOT NULL AND a.asked_at >= $1 AND ($2::text IS NULL OR a.agent = $3::text)
      UNION
      SELECT a.id, d.person FROM decision d JOIN action a ON a.id = d.action_id
      WHERE d.at >= $4 AND ($5::text IS NULL OR a.agent = $6::text)
    ) AS x GROUP BY person
---
SELECT pg_advisory_unlock($1)
---
SELECT pg_advisory_xact_lock(gate_key())
---
SELECT pg_try_advisory_lock($1) AS got
---
SELECT queue_judgement(s.rollout_id, s.segment, $1)
    FROM rollout_segment s JOIN rollout r ON r.id = s.rollout_id
    WHERE s.state = 'exposed' AND (r.ended_at IS NULL OR r.status = 'completed')
---
SELECT raise_alert($1, $2, $3, $4::jsonb) AS id
---
SELECT raise_epoch()
---
SELECT rollback_segment($1, $2, $3, $4, $5,
      $6, $7::jsonb) AS answer
---
SELECT segment, agent_version AS "agentVersion",
      count(*) FILTER (WHERE decided_by = 'person')::int AS decided,
      count(*) FILTER (WHERE state = 'executed' AND round = 0 AND corrected_at IS NULL
        AND completed_at <= $1)::int AS good,
      count(*) FILTER (WHERE (decided_by = 'person' AND state = 'denied') OR round > 0
        OR corrected_at IS NOT NULL)::int AS bad
    FROM action a
    WHERE agent = $2 AND release = $3 AND grant_name = $4 AND tool = $5 AND kind = 'write'
      AND segment IS NOT NULL AND standing_id IS NULL AND NOT break_glass AND (decided_by = 'person' OR earned OR round > 0)
      AND asked_at > coalesce((SELECT u.evidence_from FROM autonomy u WHERE u.agent = a.agent AND u.release = a.release
        AND u.grant_name = a.grant_name AND u.tool = a.tool AND u.segment = a.segment
        AND u.agent_version = a.agent_version), '-infinity')
      AND NOT EXISTS (SELECT 1 FROM incident i WHERE i.agent = a.agent AND coalesce(i.segment, a.segment) = a.segment
        AND i.opened_at >= a.asked_at)
    GROUP BY segment, agent_version
    ORDER BY segment, agent_version
---
SELECT segment, generation FROM rollout_segment
    WHERE rollout_id = $1 AND state = 'exposed'
---
SELECT segment, metric, sum(events)::int AS events, sum(harms)::int AS harms FROM day_count
      WHERE rollout_id = $1 AND arm = 'control' GROUP BY segment, metric ORDER BY segment, metric
---
SELECT segment, writes, unasked FROM baseline_volume($1, $2, $3)
---
SELECT sequence_log($1) AS numbered
---
SELECT split_part(scope, '/', 1) AS label, count(*)::int AS value FROM switch WHERE disabled GROUP BY 1
---
SELECT state AS label, count(*)::int AS value FROM (
      (SELECT state FROM action WHERE state IN ('pending', 'approved') AND expires_at IS NOT NULL
        ORDER BY expires_at LIMIT $1)
      UNION ALL
      (SELECT state FROM action WHERE state = 'executing' ORDER BY deadline_at LIMIT $2)) AS o GROUP BY 1
---
SELECT state, (count(*) FILTER (WHERE decided_at IS NULL))::int AS count, count(decided_at)::int AS approved,
      percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50_ms, sum(ms) AS total_ms
    FROM (
      SELECT a.state, a.decided_at, CASE WHEN a.decided_at IS NULL THEN (extract(epoch FROM CASE a.state WHEN 'expired' THEN a.expires_at ELSE a.ended_at END - a.asked_at) * 1000)::float8 END AS ms
      FROM action a WHERE a.approval IS NOT NULL AND a.standing_id IS NULL AND a.kind = 'write' AND a.state IN ('expired', 'withdrawn', 'superseded', 'disabled')
        AND a.asked_at >= $1 AND ($2::text IS NULL OR a.agent = $3::text)
    ) AS x GROUP BY state ORDER BY count DESC, state
---
SELECT status, state FROM begin_action($1, $2, $3, $4,
          $5, $6, $7)
---
SELECT store_credential($1, $2, $3, $4, $5) AS ok
---
SELECT topic AS kind, found, count(*)::int AS count, max(at) AS last_at FROM restarted_workflow
    WHERE at > $1 GROUP BY topic, found ORDER BY last_at DESC
---
SELECT topic, key, payload FROM (
      SELECT 'rollout' AS topic, id AS key, '{}'::jsonb AS payload FROM rollout WHERE ended_at IS NULL
      UNION ALL
      SELECT 'action', id::text, '{}' FROM action
      WHERE state IN ('pending', 'approved') AND kind = 'write' AND decided_by IS DISTINCT FROM 'policy'
      UNION ALL
      SELECT 'action', id::text, '{}' FROM action
      WHERE state = 'executing' AND kind = 'write' AND decided_by IS DISTINCT FROM 'policy'
      UNION ALL
      SELECT 'digest', agent, '{}' FROM action
      WHERE state = 'pending' AND (reach ->> 'joinsDigest')::boolean GROUP BY agent
      UNION ALL
      SELECT 'alert', id, '{}' FROM alert WHERE delivered_at IS NULL AND created_at > $1
      UNION ALL
      SELECT 'callback', key, payload FROM callback WHERE at > $2
    ) r WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.topic = r.topic AND o.key = r.key)
---
SELECT void_actions($1, NULL, $2, $3, 'control',
        ARRAY['read', 'write'], 'superseded', 'new_release', $4, $5)
---
SELECT void_actions($1, NULL, NULL, NULL, NULL, ARRAY['read', 'write'], 'superseded', 'new_release',
        $2, $3)
---
UPDATE outbox SET attempts = attempts + 1, error = $1,
      not_before = clock_timestamp() + make_interval(secs => least($2, 0.2 * power(2, least(attempts, 10))))
      WHERE id = ANY ($3)
---
WITH answer AS (
      SELECT d.person, d.verdict, d.deputy_id, CASE WHEN d.shown_at IS NOT NULL THEN (extract(epoch FROM greatest(d.at, d.shown_at) - d.shown_at) * 1000)::float8 END AS ms
      FROM decision d JOIN action a ON a.id = d.action_id
      WHERE d.at >= $1 AND ($2::text IS NULL OR a.agent = $3::text)
    )
    SELECT person, count(*)::int AS answered, (count(*) FILTER (WHERE verdict = 'approve'))::int AS approved,
      (count(*) FILTER (WHERE verdict = 'deny'))::int AS denied, count(deputy_id)::int AS as_deputy,
      count(ms)::int AS timed, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS p50_ms,
      percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95_ms,
      (count(ms) FILTER (WHERE verdict = 'approve'))::int AS timed_approvals,
      (count(*) FILTER (WHERE verdict = 'approve' AND ms < $4))::int AS hasty
    FROM answer GROUP BY GROUPING SETS ((person), ()) ORDER BY person NULLS FIRST
---
WITH counted AS (
      SELECT a.agent, coalesce(a.segment, 'default') AS segment,
        a.kind = 'write' AND a.began_at IS NOT NULL AS begun,
        EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id) AS kept,
        CASE a.decided_by
          WHEN 'policy' THEN a.decided_at IS NOT NULL AND a.grant_name IS NOT NULL
          ELSE (SELECT count(*) FROM decision d WHERE d.action_id = coalesce(s.action_id, a.id)
              AND d.round = coalesce(s.round, a.round) AND d.verdict = 'approve' AND d.slot IS NOT NULL)
            >= CASE WHEN a.break_glass THEN 1 ELSE (SELECT sum((need ->> 'quorum')::int)
              FROM jsonb_array_elements(a.approval -> 'stages') AS stage (needs), jsonb_array_elements(needs) AS one (need)) END
        END AS confirmed,
        EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id) AS credentialed,
        a.state = 'unknown' OR (a.state = 'executing' AND a.deadline_at < $1) AS unpaired
      FROM action a LEFT JOIN standing_approval s ON s.id = a.standing_id
      WHERE $2::text IS NULL OR a.agent = $3::text
    )
    SELECT agent, segment, count(*)::int AS actions, (count(*) FILTER (WHERE kept))::int AS kept,
      (count(*) FILTER (WHERE begun))::int AS begun, (count(*) FILTER (WHERE begun AND confirmed))::int AS confirmed,
      (count(*) FILTER (WHERE begun AND credentialed))::int AS credentialed,
      (count(*) FILTER (WHERE unpaired))::int AS unpaired
    FROM counted GROUP BY agent, segment ORDER BY agent, segment
---
WITH m AS (
        INSERT INTO restarted_workflow (topic, key, found, at)
        SELECT topic, key, found, $1
        FROM jsonb_to_recordset($2::jsonb) AS x (topic text, key text, found text)
      )
      INSERT INTO outbox (topic, key, payload)
      SELECT topic, key, payload
      FROM jsonb_to_recordset($3::jsonb) AS x (topic text, key text, payload jsonb)
---
WITH same AS (SELECT * FROM action a WHERE a.agent = $1 AND a.same_digest = $2
      AND a.subject_digest = $3 AND a.release = $4 AND a.asked_at > $5
      AND a.approval IS NOT NULL AND a.standing_id IS NULL),
    changed AS (SELECT coalesce(greatest(max(s.decided_at) FILTER (WHERE s.decided_by = 'person' AND s.state <> 'denied'),
      max(s.corrected_at)), '-infinity') AS at FROM same s),
    denied AS (SELECT s.* FROM same s, changed c
      WHERE s.state = 'denied' AND s.decided_by = 'person' AND s.decided_at > c.at)
    SELECT (SELECT count(*) FROM denied)::int AS denials,
      (SELECT count(*) FROM same s WHERE s.asked_at >= (SELECT min(decided_at) FROM denied))::int AS repeats,
      n.person, n.reason
    FROM decision n WHERE n.verdict = 'deny' AND n.action_id = (SELECT id FROM denied ORDER BY decided_at DESC, id LIMIT 1)
    ORDER BY n.at DESC LIMIT 1
---
delete from "action_private" where "action_id" in ($1)
---
delete from "agent_approver" where "agent" = $1 and "grp" = $2
---
delete from "agent_approver" where "agent" = $1 and ("via" = $2 or "grp" not in ($3))
---
delete from "ended_session" where "until" < $1
---
delete from "group_source" where "agent" = $1 and "grp" = $2
---
delete from "group_source" where "agent" = $1 and "grp" not in ($2)
---
delete from "judge_queue" where "rollout_id" = $1 and "segment" = $2 and "n" = $3
---
delete from "outbox" where "id" in ($1)
---
delete from "subject" where "id" = $1
---
insert into "action_edit" ("action_id", "round", "editor", "at", "via", "identity", "reason", "args_before", "digest_before") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
---
insert into "action_reach" ("action_id", "round", "stage", "person", "ways", "first_at") values ($1, $2, $3, $4, $5, $6) on conflict ("action_id", "round", "stage", "person") do update set "ways" = "excluded"."ways"
---
insert into "agent" ("name", "manifest", "digest", "definitions_digest", "revision", "applied_at", "applied_by", "person_keys") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict ("name") do update set "manifest" = $9, "digest" = $10, "definitions_digest" = $11, "revision" = $12, "applied_at" = $13, "applied_by" = $14, "person_keys" = $15
---
insert into "agent_approver" ("agent", "grp", "person", "from_at", "until_at", "via") values ($1, $2, $3, $4, $5, $6)
---
insert into "agent_approver" ("agent", "grp", "person", "via") values ($1, $2, $3, $4), ($5, $6, $7, $8)
---
insert into "autonomy" ("agent", "release", "grant_name", "tool", "segment", "agent_version", "state", "evidence", "changed_at", "changed_by") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict ("agent", "release", "grant_name", "tool", "segment", "agent_version") do update set "state" = $11, "evidence" = $12, "changed_at" = $13, "changed_by" = $14
---
insert into "autonomy" ("agent", "release", "grant_name", "tool", "segment", "agent_version", "state", "evidence", "changed_at", "changed_by", "evidence_from") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict ("agent", "release", "grant_name", "tool", "segment", "agent_version") do update set "state" = $12, "evidence" = $13, "changed_at" = $14, "changed_by" = $15, "evidence_from" = $16
---
insert into "card_text" ("action_id", "version", "text") values ($1, $2, $3) on conflict do nothing
---
insert into "deputy" ("id", "agent", "from_person", "to_person", "grp", "starts_at", "ends_at", "reason", "created_at", "created_by", "revoked_at", "revoked_by") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
---
insert into "ended_session" ("id", "until") values ($1, $2) on conflict do nothing
---
insert into "in_force" ("agent", "segment", "release", "since", "because") values ($1, $2, $3, $4, $5) on conflict ("agent", "segment") do update set "release" = $6, "since" = $7, "because" = $8
---
insert into "incident" ("id", "agent", "rollout_id", "segment", "metric", "title", "opened_at", "opened_by", "evidence", "breach_at", "revoked_at", "verified_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
---
insert into "outbox" ("topic", "key", "payload") values ($1, $2, $3)
---
insert into "outcome" ("agent", "id", "action_id", "metric", "value", "reported_by", "received_at") values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning "id"
---
insert into "release" ("agent", "version", "manifest", "digest", "created_at", "created_by") values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning "version"
---
insert into "rollout" ("id", "agent", "release", "status", "salt", "plan", "digests", "step_index", "started_at", "started_by", "reason", "step_elapsed_ms", "ticking_since", "revision") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
---
insert into "rollout_segment" ("rollout_id", "segment", "exposure", "generation", "state", "changed_at") values ($1, $2, $3, $4, $5, $6), ($7, $8, $9, $10, $11, $12), ($13, $14, $15, $16, $17, $18)
---
insert into "seen" ("action_id", "person", "at", "via") values ($1, $2, $3, $4) on conflict do nothing
---
insert into "signing_key" ("kid", "public_jwk", "sealed", "created_at", "retired_at", "served_until") values ($1, $2, $3, $4, $5, $6)
---
insert into "standing_approval" ("id", "agent", "tool", "grant_name", "release", "segment", "arm", "generation", "action_id", "round", "envelope", "max_uses", "used", "starts_at", "expires_at", "created_by") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
---
insert into "subject" ("agent", "name", "key") values ($1, $2, $3) on conflict do nothing
---
insert into "token" ("id", "hash", "roles", "agent", "person", "attributes", "created_at", "created_by", "expires_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
---
insert into "verdict" ("rollout_id", "segment", "generation", "metric", "verdict", "record", "judged_at") values ($1, $2, $3, $4, $5, $6, $7) on conflict ("rollout_id", "segment", "generation", "metric") do update set "verdict" = $8, "record" = $9, "judged_at" = $10
---
select "action"."id" as "action", "decision"."person", "decision"."at", "decision"."reason", "subject_digest" from "action" inner join "decision" on "decision"."action_id" = "action"."id" and "decision"."verdict" = $1 where "action"."agent" = $2 and "same_digest" = $3 and "action"."id" != $4 and "action"."state" = $5 and "corrected_at" is null and "decision"."at" <= $6 order by "decision"."at" desc limit $7
---
select "action"."id" from "action" inner join "action_private" on "action_private"."action_id" = "action"."id" where "agent" = $1 and "tool" = $2 and "segment" = $3 and "state" in ($4, $5, $6) and "decided_at" <= $7 and "action"."id" <> $8 order by "decided_at" desc, "action"."id" limit $9
---
select "action_id", "args" from "action_private" where "action_id" in ($1, $2)
---
select "action_id", "editor" from "action_edit" where "action_id" in ($1)
---
select "action_id", "round" from "decision" where "person" = $1 and "action_id" in ($2, $3)
---
select "action_id", "round", "editor", "at", "via", "reason", "digest_before" from "action_edit" where "action_id" in ($1, $2) order by "round"
---
select "agent_version", "held_for_version", "builds", "revision" from "rollout" where "id" = $1 and "ended_at" is null for update
---
select "at", "open" from "reconciliation"
---
select "digest" from "release" where "agent" = $1 and "version" = $2
---
select "editor", "at", "via", "reason", "args_before" from "action_edit" where "action_id" = $1 order by "round"
---
select "from_person" from "deputy" where "agent" = $1 and "to_person" = $2 and "from_person" in ($3) and "created_by" in ($4) and "grp" is null and "revoked_at" is null and "starts_at" <= $5 and "ends_at" > $6
---
select "generation" from "rollout_segment" where "rollout_id" = $1
---
select "generation" from "rollout_segment" where "rollout_id" = $1 and "segment" = $2
---
select "id" from "action" where "id" >= $1 and "id" <= $2 and "agent" = $3 order by "id" limit $4
---
select "id" from "action" where "id" >= $1 and "id" <= $2 order by "id" limit $3
---
select "id" from "action" where "id" in ($1) order by "id" for update
---
select "id" from "action" where "subject_id" = $1
---
select "id" from "ended_session" where "id" = $1
---
select "id" from "installation" for update
---
select "id" from "rollout" where "id" = $1
---
select "id" from "subject" where "agent" = $1 and "name" = $2
---
select "id" from "subject" where "agent" = $1 and "name" = $2 for update
---
select "id" from "token" where "id" >= $1 and "id" <= $2 and "agent" = $3 order by "id" limit $4
---
select "id" from "token" where "id" >= $1 and "id" <= $2 order by "id" limit $3
---
select "id" from "token" where "id" in ($1) and "revoked_at" is null and ("expires_at" is null or "expires_at" > $2)
---
select "id", "asked_by", "asked_by_key", "behind", "behind_keys" from "action" where "approval" is not null and "state" in ($1, $2) union select "id", "asked_by", "asked_by_key", "behind", "behind_keys" from "action" where "approval" is not null and "id" in (select "action_id" from "standing_approval" where "ended_at" is null)
---
select "id", "attributes", "roles" from "token" where "agent" = $1 and "revoked_at" is null and ("expires_at" is null or "expires_at" > $2) order by "created_at"
---
select "id", "evidence" from "incident" where "agent" = $1
---
select "id", "facts" from "alert" where ("agent" = $1 or "agent" is null)
---
select "id", "key" from "subject" where "agent" = $1 and "name" = $2
---
select "id", "scope", "reads", "reason", "actor", "at" from "stop_intent" where "closed_at" is null and "at" < $1 order by "id"
---
select "id", "state", "revision" from "action" where "id" in ($1)
---
select "id", "state", "revision" from "action" where "id" in ($1) and "kind" = $2 and "state" in ($3, $4) order by "id"
---
select "id", "tool", "summary" from "action" where "rollout_id" = $1 and "segment" = $2 and "arm" = $3 and "kind" = $4 and "decided_by" = $5 and "state" in ($6, $7) order by "completed_at" desc limit $8
---
select "jws", "shown", "salt" from "receipt" where "action_id" = $1 order by "id"
---
select "kid" from "signing_key" where "retired_at" is null
---
select "log_chain"."seq", "log_chain"."hash", "log_entry"."body" from "log_chain" inner join "log_entry" on "log_entry"."id" = "log_chain"."entry_id" order by "log_chain"."seq" asc limit $1
---
select "log_chain"."seq", "log_chain"."hash", "log_entry"."body" from "log_chain" inner join "log_entry" on "log_entry"."id" = "log_chain"."entry_id" order by "log_chain"."seq" desc limit $1
---
select "log_chain"."seq", "log_chain"."hash", "log_entry"."body" from "log_chain" inner join "log_entry" on "log_entry"."id" = "log_chain"."entry_id" where "log_chain"."seq" > $1 order by "log_chain"."seq" asc limit $2
---
select "log_chain"."seq", "log_chain"."hash", "log_entry"."body" from "log_chain" inner join "log_entry" on "log_entry"."id" = "log_chain"."entry_id" where "log_entry"."agent" = $1 order by "log_chain"."seq" asc limit $2
---
select "log_chain"."seq", "log_chain"."hash", "log_entry"."body" from "log_chain" inner join "log_entry" on "log_entry"."id" = "log_chain"."entry_id" where "log_entry"."kind" = $1 order by "log_chain"."seq" asc limit $2
---
select "log_chain"."seq", "log_entry"."kind", "log_entry"."agent", "log_entry"."ref", "log_entry"."body" from "log_chain" inner join "log_entry" on "log_entry"."id" = "log_chain"."entry_id" where "log_chain"."seq" > $1 and "log_chain"."seq" <= $2 and split_part(log_entry.kind, '.', 1) in ($3, $4, $5, $6, $7, $8, $9) order by "log_chain"."seq"
---
select "manifest" from "agent" order by "name"
---
select "manifest" from "agent" where "name" = $1
---
select "manifest" from "agent" where "name" = $1 order by "name"
---
select "manifest" from "agent" where "name" in ($1)
---
select "manifest" from "release" where "agent" = $1 and "version" = $2
---
select "manifest" from "release" where "agent" = $1 and "version" in ($2)
---
select "manifest" from "release" where "agent" = $1 and "version" in (select "release" from "in_force" where "agent" = $2)
---
select "name" from "agent" order by "name"
---
select "name" from "agent" where "name" = $1
---
select "name" from "subject" where "id" = $1
---
select "name", "manifest", "revision" from "agent" where jsonb_path_exists(manifest, '$.approvers.* ? (exists(@.slackGroup) || exists(@.schedule))') order by "name"
---
select "name", "revision" from "agent" order by "name"
---
select "name", "revision", "manifest", "person_keys" from "agent"
---
select "person", "for_person" from "decision" where "action_id" = $1 and "round" = $2 and "verdict" = $3
---
select "person", "for_person", "verdict", "at", "via", "reason", "round", "stage", "options", "slot", "grp" from "decision" where "action_id" = $1 order by "at", "person"
---
select "person", "from_at", "until_at" from "agent_approver" where "agent" = $1 and "grp" = $2
---
select "person", "ways", "first_at" from "action_reach" where "action_id" = $1 and "round" = $2 and "stage" = $3 order by "first_at", "person"
---
select "record" from "verdict" where "rollout_id" = $1 and "metric" = $2 and "segment" = $3 and "verdict" = $4 and "generation" < $5
---
select "release", "grant_name", "tool", "segment", "agent_version" from "autonomy" where "agent" = $1 and "state" = $2
---
select "release", "segment" from "in_force" where "agent" = $1
---
select "release"."manifest" from "in_force" inner join "release" on "release"."agent" = "in_force"."agent" and "release"."version" = "in_force"."release" where "in_force"."agent" = $1 and "in_force"."segment" = $2
---
select "round", "args_before" from "action_edit" where "action_id" = $1
---
select "s".*, "a"."risk" from "standing_approval" as "s" inner join "action" as "a" on "a"."id" = "s"."action_id" where "s"."agent" = $1 and "s"."tool" = $2 and "s"."ended_at" is null and "s"."expires_at" > $3 and approvers_hold(s.action_id, s.round, false, $4) = 'holds' order by "s"."expires_at" desc
---
select "scope" from "switch" where "disabled" = $1 and "scope" in ($2, $3)
---
select "scope", "reads" from "switch" where "disabled" = $1
---
select "segment" from "rollout_segment" where "rollout_id" = $1 and "state" = $2 order by "segment"
---
select "segment", "exposure", "generation", "state" from "rollout_segment" where "rollout_id" = $1
---
select "segment", "exposure", "generation", "state" from "rollout_segment" where "rollout_id" = $1 order by "segment"
---
select "segment", "generation" from "rollout_segment" where "rollout_id" = $1
---
select "segment", "generation", "day", "build", "events", "harms", "known" from "day_count" where "rollout_id" = $1 and "metric" = $2 and "arm" = $3
---
select "segment", "generation", "exposure", "from_at", "until_at" from "exposure" where "rollout_id" = $1 and "segment" in ($2, $3, $4) order by "segment", "from_at"
---
select "segment", "release" from "in_force" where "agent" = $1 and "segment" in ($2, $3)
---
select "seq" from "log_chain" order by "seq" desc limit $1
---
select "state" from "autonomy" where "agent" = $1 and "release" = $2 and "grant_name" = $3 and "tool" = $4 and "segment" = $5 and "agent_version" = $6
---
select "state", count(*) as "count" from "action" where "agent" = $1 and "state" in ($2, $3, $4, $5) and "kind" = $6 group by "state"
---
select "switch"."scope", "switch"."reads", "switch"."epoch", "switch"."enable_asked_by", "stop"."actor", "stop"."reason", "stop"."at", "stop"."reads" as "stop_reads" from "switch" inner join "stop" on "stop"."scope" = "switch"."scope" where "switch"."disabled" = $1 and "stop"."ended_at" is null order by "stop"."id"
---
select "verdict"."segment", "verdict"."metric", "verdict"."verdict", "verdict"."record" from "verdict" inner join "rollout_segment" on "rollout_segment"."rollout_id" = "verdict"."rollout_id" and "rollout_segment"."segment" = "verdict"."segment" and "rollout_segment"."generation" = "verdict"."generation" where "verdict"."rollout_id" = $1
---
select * from "action" order by "asked_at" desc, "id" limit $1
---
select * from "action" where "agent" = $1 and "state" = $2 order by "asked_at" desc, "id" limit $3
---
select * from "action" where "agent" = $1 and "tool" = $2 and "state" = $3 and "grant_name" is not distinct from $4 and "release" is not distinct from $5 and "segment" is not distinct from $6 order by "asked_at", "id" limit $7
---
select * from "action" where "agent" = $1 order by "asked_at" desc, "id" limit $2
---
select * from "action" where "break_glass" = $1 and "reviewed_at" is null and "agent" = $2 order by "decided_at", "id" limit $3
---
select * from "action" where "break_glass" = $1 and "reviewed_at" is null order by "decided_at", "id" limit $2
---
select * from "action" where "id" = $1
---
select * from "action" where "id" = $1 for update
---
select * from "action" where "state" = $1 and "deadline_at" < $2 limit $3
---
select * from "action" where "state" = $1 and ("asked_at" < $2 or ("asked_at" = $3 and "id" > $4)) order by "asked_at" desc, "id" limit $5
---
select * from "action" where "state" = $1 and ("expires_at" is null or "expires_at" > $2) and "agent" in ($3) order by "asked_at", "id" limit $4
---
select * from "action" where "state" = $1 and ("expires_at" is null or "expires_at" > $2) and ("asked_at", "id") > ($3, $4) order by "asked_at", "id" limit $5
---
select * from "action" where "state" = $1 and ("expires_at" is null or "expires_at" > $2) order by "asked_at", "id" limit $3
---
select * from "action" where "state" = $1 order by "asked_at" desc, "id" limit $2
---
select * from "action" where "state" in ($1, $2) and "expires_at" < $3 limit $4
---
select * from "action_private" where "action_id" = $1
---
select * from "agent" where "name" = $1
---
select * from "alert" where "id" = $1
---
select * from "autonomy" order by "changed_at" desc
---
select * from "autonomy" where "agent" = $1 order by "changed_at" desc
---
select * from "decision" where "action_id" in ($1) order by "at"
---
select * from "decision" where "action_id" in ($1, $2, $3, $4, $5, $6) and "slot" = $7
---
select * from "deputy" where "agent" = $1 and "revoked_at" is null and "ends_at" > $2 order by "starts_at" asc, "id" limit $3
---
select * from "deputy" where "agent" = $1 order by "starts_at" desc, "id" limit $2
---
select * from "deputy" where "id" = $1 and "agent" = $2
---
select * from "group_source" where "agent" = $1
---
select * from "in_force" where "agent" = $1
---
select * from "in_force" where "agent" = $1 order by "segment"
---
select * from "incident" order by "opened_at" desc limit $1
---
select * from "incident" where "agent" = $1 order by "opened_at" desc limit $2
---
select * from "incident" where "id" = $1
---
select * from "installation" for update
---
select * from "judge_queue" order by "since" limit $1
---
select * from "outbox" where "not_before" <= clock_timestamp() order by "id" limit $1
---
select * from "outcome" where "agent" = $1 and "id" = $2
---
select * from "release" where "agent" = $1 and "version" in ($2, $3)
---
select * from "release" where "agent" = $1 order by "created_at"
---
select * from "rollout" order by "ended_at" desc nulls first, "started_at" desc limit $1
---
select * from "rollout" where "agent" = $1 and "ended_at" is null
---
select * from "rollout" where "agent" = $1 order by "ended_at" desc nulls first, "started_at" desc limit $2
---
select * from "rollout" where "ended_at" is null
---
select * from "rollout" where "id" = $1
---
select * from "signing_key" order by "created_at" desc
---
select * from "standing_approval" order by "starts_at" desc, "id" limit $1
---
select * from "standing_approval" where "action_id" = $1 order by "starts_at"
---
select * from "standing_approval" where "action_id" in ($1) order by "id" for update
---
select * from "standing_approval" where "agent" = $1 and "ended_at" is null order by "starts_at" desc, "id" limit $2
---
select * from "standing_approval" where "agent" = $1 order by "starts_at" desc, "id" limit $2
---
select * from "standing_approval" where "ended_at" is null and "expires_at" <= $1 limit $2
---
select * from "standing_approval" where "ended_at" is null order by "starts_at" desc, "id" limit $1
---
select * from "standing_approval" where "id" = $1
---
select * from "standing_approval" where ("action_id" = $1 or "id" = $2)
---
select * from "token" order by "created_at" desc, "id"
---
select * from "token" where "agent" = $1 order by "created_at" desc, "id"
---
select * from "token" where "hash" = $1
---
select * from "token" where "id" = $1
---
select * from "token" where "id" = $1 for update
---
select * from "verdict" where "rollout_id" = $1 and "segment" = $2 and "generation" = $3 and "metric" = $4
---
select * from "verdict" where "rollout_id" = $1 order by "metric"
---
select *, EXISTS (SELECT 1 FROM in_force f WHERE f.agent = rollout.agent AND f.release = rollout.release) as "serves" from "rollout" where "agent" = $1 and ("ended_at" is null or "status" = $2) order by "ended_at" desc nulls first limit $3
---
select count(*) as "count" from "action" where "agent" = $1 and "segment" = $2 and "state" = $3
---
select count(*) as "count" from (select "id" from "action" where "agent" = $1 and "tool" = $2 and "state" = $3 and "grant_name" is not distinct from $4 and "release" is not distinct from $5 and "segment" is not distinct from $6 and "id" <> $7 limit $8) as "other"
---
select count(*) filter(where "first_at" > $1) as "lastHour", count(*) filter(where "admitted" = $2) as "surplus" from "rollout_subject" where "rollout_id" = $3
---
select distinct "action"."id" from "action" inner join "credential" on "credential"."action_id" = "action"."id" where "action"."id" in ($1) and "action"."state" = $2 and "credential"."revoked_at" is null and "credential"."expires_at" > $3
---
select distinct "grp", "person" from "agent_approver" where "agent" = $1
---
select distinct "person" from "agent_approver" where "agent" = $1 and ("from_at" is null or "from_at" <= $2) and ("until_at" is null or "until_at" > $3)
---
update "action" set "behind" = $1, "behind_keys" = $2, "revision" = revision + 1 where "id" = $3
---
update "action" set "completed_at" = $1, "result_digest" = $2, "error_code" = $3 where "id" = $4
---
update "action" set "corrected_by" = $1, "corrected_at" = $2, "correction_reason" = $3 where "id" = $4 and "corrected_at" is null
---
update "action" set "deny_reason" = $1 where "id" = $2
---
update "action" set "reach" = $1 where "id" = $2
---
update "action" set "reviewed_by" = $1, "reviewed_at" = $2, "review" = $3 where "id" = $4 and "reviewed_at" is null
---
update "action" set "round" = $1, "stage" = $2, "stage_opened_at" = $3, "routed" = $4, "reach" = $5, "standing_wish" = $6, "args_digest" = $7, "summary" = $8, "redact" = $9, "risk" = $10, "approval" = $11, "grant_name" = $12, "limits" = $13, "credential" = $14, "revision" = revision + 1 where "id" = $15
---
update "action" set "stage" = $1, "stage_opened_at" = $2, "reach" = $3 where "id" = $4
---
update "action" set "standing_wish" = $1 where "id" = $2
---
update "action" set "standing_wish" = $1, "revision" = revision + 1 where "id" = $2
---
update "action" set "summary" = $1, "why" = $2, "withdraw_reason" = $3, "links" = $4, "subject_id" = $5, "request_digest" = $6, "same_digest" = $7, "standing_wish" = $8 where "id" in ($9)
---
update "action" set "withdraw_reason" = $1 where "id" = $2
---
update "action_edit" set "args_before" = $1 where "action_id" in ($2)
---
update "action_private" set "args" = $1, "salt" = $2 where "action_id" = $3
---
update "action_private" set "result" = $1 where "action_id" = $2
---
update "alert" set "delivered_at" = $1 where "id" = $2 and "delivered_at" is null
---
update "card_text" set "text" = $1 where "action_id" in ($2)
---
update "credential" set "revoked_at" = $1 where "action_id" = $2 and "revoked_at" is null
---
update "decision" set "reason" = $1 where "action_id" = $2 and "round" = $3 and "person" = $4 and "verdict" = $5
---
update "deputy" set "revoked_at" = $1, "revoked_by" = $2 where "id" = $3 and "revoked_at" is null
---
update "in_force" set "release" = $1, "since" = $2, "because" = $3 where "agent" = $4 and "segment" = $5
---
update "incident" set "revoked_at" = $1, "breach_to_revoked_ms" = $2 where "id" in ($3, $4, $5)
---
update "installation" set "sealed_secret" = $1, "secret" = $2, "signing_key" = $3
---
update "receipt" set "shown" = $1, "salt" = $2 where "action_id" in ($3)
---
update "rollout" set "agent_version" = $1, "builds" = $2, "revision" = $3 where "id" = $4
---
update "rollout" set "baseline" = $1, "baseline_digest" = $2, "baseline_locked_at" = $3, "per_day" = $4 where "id" = $5 and "baseline_locked_at" is null
---
update "rollout" set "gate_approved_by" = $1, "revision" = $2 where "id" = $3 and "revision" = $4
---
update "rollout" set "held_for_version" = $1, "revision" = $2 where "id" = $3
---
update "rollout" set "revision" = $1 where "id" = $2 and "revision" = $3 and "status" = $4
---
update "rollout" set "status" = $1, "ended_at" = $2, "ticking_since" = $3 where "id" = $4
---
update "rollout" set "status" = $1, "gate_approved_by" = $2, "step_elapsed_ms" = $3, "ticking_since" = $4, "revision" = $5 where "id" = $6 and "revision" = $7
---
update "rollout" set "status" = $1, "step_elapsed_ms" = $2, "ticking_since" = $3, "agent_version" = $4, "held_for_version" = $5, "builds" = $6, "revision" = $7 where "id" = $8 and "revision" = $9
---
update "rollout" set "status" = $1, "step_elapsed_ms" = $2, "ticking_since" = $3, "revision" = $4 where "id" = $5 and "revision" = $6
---
update "rollout" set "status" = $1, "ticking_since" = $2, "ended_at" = $3, "revision" = $4 where "id" = $5 and "revision" = $6
---
update "rollout" set "step_index" = $1, "step_elapsed_ms" = $2, "ticking_since" = $3, "gate_approved_by" = $4, "gate_told_at" = $5 where "id" = $6
---
update "rollout_segment" set "exposure" = $1, "state" = $2, "changed_at" = $3, "because" = $4 where "rollout_id" = $5 and "segment" = $6 and "generation" = $7 and "state" in ($8, $9) and "exposure" <= $10
---
update "rollout_segment" set "state" = $1, "exposure" = $2, "changed_at" = $3, "because" = $4, "generation" = generation + 1 where "rollout_id" = $5 and "segment" = $6 and "state" = $7
---
update "signing_key" set "retired_at" = $1, "served_until" = $2, "sealed" = $3 where "kid" = $4
---
update "standing_approval" set "ended_at" = $1, "ended_because" = $2, "ended_by" = $3 where "id" = $4 and "ended_at" is null
---
update "standing_approval" set "envelope" = $1 where "action_id" in ($2)
---
update "token" set "revoked_at" = $1 where "id" = $2
