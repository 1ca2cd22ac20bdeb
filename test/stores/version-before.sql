-- Written by npm run freeze: what the service of the version before sends.
---
SELECT (f.a).*, f.manifest, f.members, f.deputies, f.sources, f.editors, f.answers,
      f.looked_at, f.posted_at, f.card_text
    FROM action_to_decide($1, $2, $3, $4, $5) AS f
---
SELECT * FROM record_answer($1::jsonb,
    $2::jsonb, $3::jsonb, $4::jsonb)
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
SELECT epoch FROM installation
---
SELECT log_append($1, $2, $3, $4, $5,
    $6::jsonb)
---
SELECT move_action($1, $2, $3, $4,
    $5, $6, $7, $8::jsonb) AS moved
---
SELECT n, status, id FROM ask_actions($1::jsonb, $2)
        ORDER BY n
---
SELECT pg_advisory_xact_lock(gate_key())
---
SELECT raise_epoch()
---
SELECT status, state FROM begin_action($1, $2, $3, $4,
          $5, $6, $7)
---
SELECT store_credential($1, $2, $3, $4, $5) AS ok
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
delete from "agent_approver" where "agent" = $1 and ("via" = $2 or "grp" not in ($3))
---
delete from "group_source" where "agent" = $1 and "grp" not in ($2)
---
insert into "agent" ("name", "manifest", "digest", "definitions_digest", "revision", "applied_at", "applied_by", "person_keys") values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict ("name") do update set "manifest" = $9, "digest" = $10, "definitions_digest" = $11, "revision" = $12, "applied_at" = $13, "applied_by" = $14, "person_keys" = $15
---
insert into "agent_approver" ("agent", "grp", "person", "via") values ($1, $2, $3, $4), ($5, $6, $7, $8)
---
insert into "in_force" ("agent", "segment", "release", "since", "because") values ($1, $2, $3, $4, $5) on conflict ("agent", "segment") do update set "release" = $6, "since" = $7, "because" = $8
---
insert into "outbox" ("topic", "key", "payload") values ($1, $2, $3)
---
insert into "release" ("agent", "version", "manifest", "digest", "created_at", "created_by") values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning "version"
---
insert into "signing_key" ("kid", "public_jwk", "sealed", "created_at", "retired_at", "served_until") values ($1, $2, $3, $4, $5, $6)
---
insert into "subject" ("agent", "name", "key") values ($1, $2, $3) on conflict do nothing
---
insert into "token" ("id", "hash", "roles", "agent", "person", "attributes", "created_at", "created_by", "expires_at") values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
---
select "action"."id" as "action", "decision"."person", "decision"."at", "decision"."reason", "subject_digest" from "action" inner join "decision" on "decision"."action_id" = "action"."id" and "decision"."verdict" = $1 where "action"."agent" = $2 and "same_digest" = $3 and "action"."id" != $4 and "action"."state" = $5 and "corrected_at" is null and "decision"."at" <= $6 order by "decision"."at" desc limit $7
---
select "id", "key" from "subject" where "agent" = $1 and "name" = $2
---
select "manifest" from "agent" where "name" = $1
---
select "manifest" from "agent" where "name" in ($1)
---
select "manifest" from "release" where "agent" = $1 and "version" = $2
---
select "manifest" from "release" where "agent" = $1 and "version" in ($2)
---
select "name" from "agent" where "name" = $1
---
select "person", "ways", "first_at" from "action_reach" where "action_id" = $1 and "round" = $2 and "stage" = $3 order by "first_at", "person"
---
select "release", "grant_name", "tool", "segment", "agent_version" from "autonomy" where "agent" = $1 and "state" = $2
---
select "release", "segment" from "in_force" where "agent" = $1
---
select "release"."manifest" from "in_force" inner join "release" on "release"."agent" = "in_force"."agent" and "release"."version" = "in_force"."release" where "in_force"."agent" = $1 and "in_force"."segment" = $2
---
select "s".*, "a"."risk" from "standing_approval" as "s" inner join "action" as "a" on "a"."id" = "s"."action_id" where "s"."agent" = $1 and "s"."tool" = $2 and "s"."ended_at" is null and "s"."expires_at" > $3 and approvers_hold(s.action_id, s.round, false, $4) = 'holds' order by "s"."expires_at" desc
---
select "scope", "reads" from "switch" where "disabled" = $1
---
select * from "action" where "id" = $1
---
select * from "action" where "state" = $1 and ("asked_at" < $2 or ("asked_at" = $3 and "id" > $4)) order by "asked_at" desc, "id" limit $5
---
select * from "action" where "state" = $1 order by "asked_at" desc, "id" limit $2
---
select * from "action_private" where "action_id" = $1
---
select * from "agent" where "name" = $1
---
select * from "decision" where "action_id" in ($1, $2, $3, $4, $5, $6) order by "at"
---
select * from "group_source" where "agent" = $1
---
select * from "in_force" where "agent" = $1
---
select * from "installation" for update
---
select * from "release" where "agent" = $1 and "version" in ($2)
---
select * from "rollout" where "agent" = $1 and "ended_at" is null
---
select * from "signing_key" order by "created_at" desc
---
select * from "token" where "hash" = $1
---
select *, EXISTS (SELECT 1 FROM in_force f WHERE f.agent = rollout.agent AND f.release = rollout.release) as "serves" from "rollout" where "agent" = $1 and ("ended_at" is null or "status" = $2) order by "ended_at" desc nulls first limit $3
---
update "action" set "completed_at" = $1, "result_digest" = $2, "error_code" = $3 where "id" = $4
---
update "action" set "corrected_by" = $1, "corrected_at" = $2, "correction_reason" = $3 where "id" = $4 and "corrected_at" is null
---
update "action" set "withdraw_reason" = $1 where "id" = $2
---
update "action_private" set "result" = $1 where "action_id" = $2
---
update "credential" set "revoked_at" = $1 where "action_id" = $2 and "revoked_at" is null
---
update "installation" set "sealed_secret" = $1, "secret" = $2, "signing_key" = $3
