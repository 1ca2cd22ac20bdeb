-- Written by npm run freeze: what the service of the version before sends.
---
SELECT (f.a).*, f.manifest, f.members, f.deputies, f.sources, f.editors, f.answers,
      f.looked_at, f.posted_at, f.card_text
    FROM action_to_decide($1, $2, $3, $4, $5) AS f
---
SELECT * FROM record_answer($1::jsonb,
    $2::jsonb, $3::jsonb, $4::jsonb)
---
SELECT NOT EXISTS (SELECT 1 FROM rollout_segment
        WHERE rollout_id = $1 AND segment = $2 AND (exposure > 0 OR state <> 'rolled_back'))
      AND NOT EXISTS (SELECT 1 FROM open_action WHERE state IN ('pending', 'approved') AND kind = 'write' AND rollout_id = $3 AND segment = $4 AND arm = 'candidate'
        AND epoch < $5) AS closed
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
SELECT b.status, b.digest, b.salt, b.args, b.decisions, b.edits, (b.known).* FROM begin_write($1,
          $2, $3, $4, $5, $6, $7,
          $8, $9, $10) b
---
SELECT build, segment, metric, sum(events)::int AS events, sum(harms)::int AS harms, sum(known)::int AS known
    FROM day_count WHERE rollout_id = $1 AND arm = 'candidate' GROUP BY build, segment, metric
    ORDER BY build, segment, metric
---
SELECT c.status, (c.known).* FROM complete_action($1, $2, $3, $4,
      $5, $6, $7, $8,
      $9, $10) c
---
SELECT count(*) AS ahead FROM action a
      JOIN open_action w ON w.agent = a.agent AND w.state = 'pending' AND (w.asked_at, w.id) < (a.asked_at, a.id)
      JOIN action o ON o.id = w.id
    WHERE a.id = $1 AND EXISTS (
      SELECT 1 FROM (
  SELECT need ->> 'group' AS grp FROM jsonb_array_elements(a.approval -> 'stages' -> a.stage) AS need
  UNION SELECT route ->> 'group' FROM jsonb_array_elements(a.routed) AS route
  WHERE (route ->> 'stage')::int = a.stage) x JOIN (
  SELECT need ->> 'group' AS grp FROM jsonb_array_elements(o.approval -> 'stages' -> o.stage) AS need
  UNION SELECT route ->> 'group' FROM jsonb_array_elements(o.routed) AS route
  WHERE (route ->> 'stage')::int = o.stage) y ON y.grp = x.grp)
---
SELECT count(*)::int AS tail FROM (SELECT 1 FROM log_unnumbered LIMIT $1) AS u
---
SELECT count_evidence($1) AS n
---
SELECT disable_switch($1, $2, $3, $4, $5, $6) AS answer
---
SELECT enable_switch($1, $2, $3, $4) AS answer
---
SELECT epoch FROM installation
---
SELECT follow_revocation($1, $2) AS voided
---
SELECT intend_stop($1, $2, $3, $4, $5) AS id
---
SELECT know_event($1, $2, $3::double precision, $4)
---
SELECT log_append($1, $2, $3, $4, $5,
    $6::jsonb)
---
SELECT move_action($1, $2, $3, $4,
    $5, $6, $7, $8::jsonb) AS moved
---
SELECT n, status, id FROM ask_actions($1::jsonb, $2)
---
SELECT numbered, reached FROM sequence_log($1, $2)
---
SELECT o.* FROM unnest($1::text[]) AS t (topic) CROSS JOIN LATERAL (
      SELECT * FROM outbox WHERE topic = t.topic AND not_before <= clock_timestamp() ORDER BY id LIMIT $2) o
    ORDER BY o.id
---
SELECT pg_advisory_xact_lock(gate_key())
---
SELECT queue_judgement(s.rollout_id, s.segment, $1)
    FROM rollout_segment s JOIN rollout r ON r.id = s.rollout_id
    WHERE s.state = 'exposed' AND (r.ended_at IS NULL OR r.status = 'completed')
---
SELECT raise_alert($1, $2, $3, $4::jsonb) AS id
---
SELECT raise_epoch()
---
SELECT revoke('release', $1, NULL, $2, $3, $4,
      ARRAY['read', 'write'], 'superseded', $5, $6, $7, $8) AS id
---
SELECT rollback_segment($1, $2, $3, $4, $5, $6,
      $7, $8::jsonb, $9::jsonb) AS answer
---
SELECT segment, metric, sum(events)::int AS events, sum(harms)::int AS harms FROM day_count
      WHERE rollout_id = $1 AND arm = 'control' GROUP BY segment, metric ORDER BY segment, metric
---
SELECT segment, writes, unasked FROM baseline_volume($1, $2, $3)
---
SELECT set_config('application_name', $1, true)
---
SELECT store_credential($1, $2, $3, $4, $5) AS ok
---
UPDATE outbox SET attempts = attempts + 1, error = $1,
      not_before = clock_timestamp() + make_interval(secs => least($2, 0.2 * power(2, least(attempts, 10))))
      WHERE id = ANY ($3)
---
WITH counted AS (
      SELECT a.agent, coalesce(a.segment, 'default') AS segment,
        a.kind = 'write' AND a.began_at IS NOT NULL AS begun,
        EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id)
          OR EXISTS (SELECT 1 FROM read_record r WHERE r.id = a.id AND r.args IS NOT NULL) AS kept,
        CASE a.decided_by
          WHEN 'policy' THEN a.decided_at IS NOT NULL AND a.grant_name IS NOT NULL
          ELSE (SELECT count(*) FROM decision d WHERE d.action_id = coalesce(s.action_id, a.id)
              AND d.round = coalesce(s.round, a.round) AND d.verdict = 'approve' AND d.slot IS NOT NULL)
            >= CASE WHEN a.break_glass THEN 1 ELSE (SELECT sum((need ->> 'quorum')::int)
              FROM jsonb_array_elements(a.approval -> 'stages') AS stage (needs), jsonb_array_elements(needs) AS one (need)) END
        END AS confirmed,
        EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id) AS credentialed,
        a.state = 'unknown' OR (a.state = 'executing' AND a.deadline_at < $1) AS unpaired
      FROM any_action a LEFT JOIN standing_approval s ON s.id = a.standing_id
      WHERE $2::text IS NULL OR a.agent = $3::text
    )
    SELECT agent, segment, count(*)::int AS actions, (count(*) FILTER (WHERE kept))::int AS kept,
      (count(*) FILTER (WHERE begun))::int AS begun, (count(*) FILTER (WHERE begun AND confirmed))::int AS confirmed,
      (count(*) FILTER (WHERE begun AND credentialed))::int AS credentialed,
      (count(*) FILTER (WHERE unpaired))::int AS unpaired
    FROM counted GROUP BY agent, segment ORDER BY agent, segment
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
delete from "agent_approver" where "agent" = $1 and ("via" = $2 or "grp" not in ($3))
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
insert into "agent" ("name", "manifest", "digest", "definitions_digest", "revision", "applied_at", "applied_by", "person_keys") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict ("name") do update set "manifest" = $9, "digest" = $10, "definitions_digest" = $11, "revision" = $12, "applied_at" = $13, "applied_by" = $14, "person_keys" = $15
---
insert into "agent_approver" ("agent", "grp", "person", "via") values ($1, $2, $3, $4), ($5, $6, $7, $8)
---
insert into "deputy" ("id", "agent", "from_person", "to_person", "grp", "starts_at", "ends_at", "reason", "created_at", "created_by", "revoked_at", "revoked_by") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
---
insert into "in_force" ("agent", "segment", "release", "since", "because") values ($1, $2, $3, $4, $5) on conflict ("agent", "segment") do update set "release" = $6, "since" = $7, "because" = $8
---
insert into "incident" ("id", "agent", "rollout_id", "segment", "metric", "title", "opened_at", "opened_by", "evidence", "breach_at", "revoked_at", "breach_to_revoked_ms", "verified_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
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
insert into "signing_key" ("kid", "public_jwk", "sealed", "created_at", "retired_at", "served_until") values ($1, $2, $3, $4, $5, $6)
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
select "action".* from "open_action" as "open" inner join "action" on "action"."id" = "open"."id" where "open"."agent" = $1 and "open"."tool" = $2 and "open"."state" = $3 and "action"."grant_name" is not distinct from $4 and "action"."release" is not distinct from $5 and "action"."segment" is not distinct from $6 order by "open"."asked_at", "open"."id" limit $7
---
select "action".* from "open_action" as "open" inner join "action" on "action"."id" = "open"."id" where "open"."state" = $1 and "open"."deadline_at" < $2 limit $3
---
select "action".* from "open_action" as "open" inner join "action" on "action"."id" = "open"."id" where "open"."state" = $1 and ("open"."expires_at" is null or "open"."expires_at" > $2) and "open"."agent" in ($3) order by "open"."asked_at", "open"."id" limit $4
---
select "action".* from "open_action" as "open" inner join "action" on "action"."id" = "open"."id" where "open"."state" = $1 and ("open"."expires_at" is null or "open"."expires_at" > $2) order by "open"."asked_at", "open"."id" limit $3
---
select "action".* from "open_action" as "open" inner join "action" on "action"."id" = "open"."id" where "open"."state" in ($1, $2) and "open"."expires_at" < $3 limit $4
---
select "action_id", "args" from "action_private" where "action_id" in ($1, $2)
---
select "action_id", "editor" from "action_edit" where "action_id" in ($1)
---
select "action_id", "round" from "decision" where "person" = $1 and "action_id" in ($2, $3)
---
select "action_id", "round", "editor", "at", "via", "reason", "digest_before" from "action_edit" where "action_id" in ($1) order by "round"
---
select "agent_version", "held_for_version", "builds", "revision" from "rollout" where "id" = $1 and "ended_at" is null for update
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
select "id" from "action" where "id" in ($1) order by "id" for update
---
select "id" from "action" where "subject_id" = $1
---
select "id" from "installation" for update
---
select "id" from "open_action" where "state" = $1 and "id" < $2 order by "id" desc limit $3
---
select "id" from "open_action" where "state" = $1 order by "id" desc limit $2
---
select "id" from "rollout" where "id" = $1
---
select "id" from "subject" where "agent" = $1 and "name" = $2
---
select "id" from "subject" where "agent" = $1 and "name" = $2 for update
---
select "id", "args", "context", "attributes", "salt" from "read_record" where "id" = $1
---
select "id", "attributes", "roles" from "token" where "agent" = $1 and "revoked_at" is null and ("expires_at" is null or "expires_at" > $2) order by "created_at"
---
select "id", "evidence" from "incident" where "agent" = $1
---
select "id", "facts" from "alert" where ("agent" = $1 or "agent" is null)
---
select "id", "key" from "subject" where "agent" = $1 and "name" = $2
---
select "id", "state", "revision" from "action" where "id" in ($1) and "kind" = $2 and "state" in ($3, $4) order by "id"
---
select "id", "tool", "summary" from "action" where "rollout_id" = $1 and "segment" = $2 and "arm" = $3 and "kind" = $4 and "decided_by" = $5 and "state" in ($6, $7) order by "id" desc limit $8
---
select "kid" from "signing_key" where "retired_at" is null
---
select "manifest" from "agent" order by "name"
---
select "manifest" from "agent" where "name" = $1
---
select "manifest" from "agent" where "name" = $1 order by "name"
---
select "manifest" from "release" where "agent" = $1 and "version" = $2
---
select "manifest" from "release" where "agent" = $1 and "version" in ($2)
---
select "manifest" from "release" where "agent" = $1 and "version" in (select "release" from "in_force" where "agent" = $2)
---
select "manifest", "digest" from "agent" where "name" = $1
---
select "name" from "agent" where "name" = $1
---
select "name" from "subject" where "id" = $1
---
select "name", "digest" from "agent" where "name" in ($1)
---
select "person", "for_person" from "decision" where "action_id" = $1 and "round" = $2 and "verdict" = $3
---
select "person", "for_person", "verdict", "at", "via", "reason", "round", "stage", "options", "slot", "grp" from "decision" where "action_id" = $1 order by "at", "person"
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
select "s".*, "a"."risk" from "standing_approval" as "s" inner join "action" as "a" on "a"."id" = "s"."action_id" where "s"."agent" = $1 and "s"."tool" = $2 and "s"."ended_at" is null and "s"."expires_at" > $3 and approvers_hold(s.action_id, s.round, false, $4) = 'holds' order by "s"."expires_at" desc
---
select "scope" from "switch" where "disabled" = $1 and "scope" in ($2, $3)
---
select "scope", "reads" from "switch" where "disabled" = $1
---
select "segment", "exposure", "generation", "state" from "rollout_segment" where "rollout_id" = $1
---
select "segment", "exposure", "generation", "state" from "rollout_segment" where "rollout_id" = $1 order by "segment"
---
select "segment", "generation" from "rollout_segment" where "rollout_id" = $1
---
select "segment", "generation", "day", "build", "events", "harms", "known" from "day_count" where "rollout_id" = $1 and "metric" = $2 and "arm" = $3
---
select "segment", "release" from "in_force" where "agent" = $1 and "segment" in ($2, $3)
---
select "seq", "hash", "body" from "log_entry" order by "seq" desc limit $1
---
select "seq", "hash", "body" from "log_entry" where "agent" = $1 order by "seq" asc limit $2
---
select "seq", "hash", "body" from "log_entry" where "kind" = $1 order by "seq" asc limit $2
---
select "seq", "hash", "body" from "log_entry" where "seq" > $1 order by "seq" asc limit $2
---
select "state", count(*) as "count" from "open_action" where "agent" = $1 and "kind" = $2 group by "state" union all select "state", count(*) as "count" from "action" where "agent" = $3 and "state" = $4 group by "state"
---
select "switch"."scope", "switch"."reads", "switch"."epoch", "switch"."enable_asked_by", "stop"."actor", "stop"."reason", "stop"."at", "stop"."reads" as "stop_reads" from "switch" inner join "stop" on "stop"."scope" = "switch"."scope" where "switch"."disabled" = $1 and "stop"."ended_at" is null order by "stop"."id"
---
select "token".*, "installation"."token_epoch" from "token", "installation" where "hash" = $1
---
select "verdict"."segment", "verdict"."metric", "verdict"."verdict", "verdict"."record" from "verdict" inner join "rollout_segment" on "rollout_segment"."rollout_id" = "verdict"."rollout_id" and "rollout_segment"."segment" = "verdict"."segment" and "rollout_segment"."generation" = "verdict"."generation" where "verdict"."rollout_id" = $1
---
select * from "action" where "break_glass" = $1 and "reviewed_at" is null order by "decided_at", "id" limit $2
---
select * from "action" where "id" = $1 for update
---
select * from "action_private" where "action_id" = $1
---
select * from "agent" where "name" = $1
---
select * from "any_action" where "id" = $1
---
select * from "any_action" where "id" in ($1, $2, $3, $4, $5, $6) order by "id" desc
---
select * from "decision" where "action_id" in ($1) and "slot" = $2
---
select * from "decision" where "action_id" in ($1, $2, $3, $4, $5, $6) order by "at"
---
select * from "deputy" where "id" = $1 and "agent" = $2
---
select * from "group_source" where "agent" = $1
---
select * from "in_force" where "agent" = $1
---
select * from "in_force" where "agent" = $1 order by "segment"
---
select * from "installation" for update
---
select * from "judge_queue" order by "since" limit $1
---
select * from "log_seal" order by "seq" desc limit $1
---
select * from "outcome" where "agent" = $1 and "id" = $2
---
select * from "release" where "agent" = $1 and "version" in ($2)
---
select * from "release" where "agent" = $1 order by "created_at"
---
select * from "revocation" where "id" = $1 and "done_at" is null
---
select * from "rollout" where "agent" = $1 and "ended_at" is null
---
select * from "rollout" where "ended_at" is null
---
select * from "rollout" where "id" = $1
---
select * from "signing_key" order by "created_at" desc
---
select * from "standing_approval" where "action_id" = $1 order by "starts_at"
---
select * from "standing_approval" where "action_id" in ($1) order by "id" for update
---
select * from "standing_approval" where "ended_at" is null and "expires_at" <= $1 limit $2
---
select * from "verdict" where "rollout_id" = $1 and "segment" = $2 and "generation" = $3 and "metric" = $4
---
select * from "verdict" where "rollout_id" = $1 order by "metric"
---
select *, EXISTS (SELECT 1 FROM in_force f WHERE f.agent = rollout.agent AND f.release = rollout.release) as "serves" from "rollout" where "agent" = $1 and ("ended_at" is null or "status" = $2) order by "ended_at" desc nulls first limit $3
---
select count(*) as "count" from "open_action" where "agent" = $1 and "segment" = $2 and "state" = $3
---
select count(*) as "count" from (select "action"."id" from "open_action" as "open" inner join "action" on "action"."id" = "open"."id" where "open"."agent" = $1 and "open"."tool" = $2 and "open"."state" = $3 and "action"."grant_name" is not distinct from $4 and "action"."release" is not distinct from $5 and "action"."segment" is not distinct from $6 and "action"."id" <> $7 limit $8) as "other"
---
select count(*) filter(where "first_at" > $1) as "lastHour", count(*) filter(where "admitted" = $2) as "surplus" from "rollout_subject" where "rollout_id" = $3
---
select distinct "person" from "agent_approver" where "agent" = $1 and ("from_at" is null or "from_at" <= $2) and ("until_at" is null or "until_at" > $3)
---
update "action" set "behind" = $1, "behind_keys" = $2, "revision" = revision + 1 where "id" = $3
---
update "action" set "corrected_by" = $1, "corrected_at" = $2, "correction_reason" = $3 where "id" = $4 and "corrected_at" is null
---
update "action" set "round" = $1, "stage" = $2, "stage_opened_at" = $3, "routed" = $4, "reach" = $5, "standing_wish" = $6, "args_digest" = $7, "summary" = $8, "redact" = $9, "risk" = $10, "approval" = $11, "grant_name" = $12, "limits" = $13, "credential" = $14, "revision" = revision + 1 where "id" = $15
---
update "action" set "summary" = $1, "why" = $2, "withdraw_reason" = $3, "links" = $4, "subject_id" = $5, "request_digest" = $6, "same_digest" = $7, "standing_wish" = $8 where "id" in ($9)
---
update "action" set "withdraw_reason" = $1 where "id" = $2
---
update "action_edit" set "args_before" = $1 where "action_id" in ($2)
---
update "action_private" set "args" = $1, "salt" = $2 where "action_id" = $3
---
update "card_text" set "text" = $1 where "action_id" in ($2)
---
update "deputy" set "revoked_at" = $1, "revoked_by" = $2 where "id" = $3 and "revoked_at" is null
---
update "installation" set "sealed_secret" = $1, "secret" = $2, "signing_key" = $3
---
update "receipt" set "shown" = $1, "salt" = $2 where "action_id" in ($3)
---
update "revocation" set "done_at" = $1, "facts" = $2 where "id" = $3
---
update "rollout" set "agent_version" = $1, "builds" = $2, "revision" = $3 where "id" = $4
---
update "rollout" set "baseline" = $1, "baseline_digest" = $2, "baseline_locked_at" = $3, "per_day" = $4 where "id" = $5 and "baseline_locked_at" is null
---
update "rollout" set "held_for_version" = $1, "revision" = $2 where "id" = $3
---
update "rollout" set "revision" = $1 where "id" = $2 and "revision" = $3 and "status" = $4
---
update "rollout" set "status" = $1, "gate_approved_by" = $2, "step_elapsed_ms" = $3, "ticking_since" = $4, "revision" = $5 where "id" = $6 and "revision" = $7
---
update "rollout" set "status" = $1, "step_elapsed_ms" = $2, "ticking_since" = $3, "agent_version" = $4, "held_for_version" = $5, "builds" = $6, "revision" = $7 where "id" = $8 and "revision" = $9
---
update "rollout" set "step_index" = $1, "step_elapsed_ms" = $2, "ticking_since" = $3, "gate_approved_by" = $4, "gate_told_at" = $5 where "id" = $6
---
update "rollout_segment" set "exposure" = $1, "state" = $2, "changed_at" = $3, "because" = $4 where "rollout_id" = $5 and "segment" = $6 and "generation" = $7 and "state" in ($8, $9) and "exposure" <= $10
---
update "signing_key" set "retired_at" = $1, "served_until" = $2, "sealed" = $3 where "kid" = $4
---
update "standing_approval" set "envelope" = $1 where "action_id" in ($2)
