-- What a write counts for the business, as it is now; nothing of it is of a read. Whoever is stopped by people or by time waited.
CREATE FUNCTION business_of(a action)
RETURNS TABLE (asked int, open int, executed int, failed int, unknown int, refused int, denied int, edited int, expired int,
  ended int, corrected int, corrected_unasked int, over_blocked int, waited int, waited_ms bigint, begun int, begun_ms bigint)
LANGUAGE sql IMMUTABLE AS $$
  SELECT 1, (a.state IN ('pending', 'approved', 'executing'))::int, (a.state = 'executed')::int, (a.state = 'failed')::int,
    (a.state = 'unknown')::int,
    (a.state = 'denied' AND a.decided_by = 'person' AND a.corrected_at IS NULL)::int,
    (a.state = 'denied' AND a.decided_by IS DISTINCT FROM 'person' AND a.corrected_at IS NULL)::int, (a.round > 0)::int,
    (a.state = 'expired')::int, (a.state IN ('withdrawn', 'superseded', 'disabled'))::int,
    (a.state IN ('executed', 'unknown') AND a.corrected_at IS NOT NULL)::int,
    (a.state IN ('executed', 'unknown') AND a.corrected_at IS NOT NULL AND a.decided_by IS NOT DISTINCT FROM 'policy')::int,
    (a.state IN ('denied', 'expired') AND a.corrected_at IS NOT NULL)::int,
    (w.until IS NOT NULL)::int, coalesce(greatest(wait_ms(a.asked_at, w.until), 0), 0),
    (a.began_at IS NOT NULL)::int, coalesce(greatest(wait_ms(a.asked_at, a.began_at), 0), 0)
  FROM (SELECT CASE WHEN a.approval IS NOT NULL AND a.standing_id IS NULL AND a.state <> 'pending'
    THEN coalesce(a.decided_at, CASE a.state WHEN 'expired' THEN a.expires_at ELSE a.ended_at END) END AS until) w
  WHERE a.kind = 'write'
$$;
---
-- A change takes out what the write counted before and puts in what it counts now.
CREATE FUNCTION count_business(p_new action, p_old action) RETURNS void LANGUAGE sql AS $$
  INSERT INTO business_due (agent, at, segment, arm, release, tool, subject, asked, open, executed, failed, unknown, refused,
    denied, edited, expired, ended, corrected, corrected_unasked, over_blocked, waited, waited_ms, begun, begun_ms)
  SELECT (p_new).agent, (p_new).asked_at, coalesce((p_new).segment, 'default'), (p_new).arm, coalesce((p_new).release, ''),
    (p_new).tool, (p_new).subject_digest, 0, n.open - o.open, n.executed - o.executed, n.failed - o.failed,
    n.unknown - o.unknown, n.refused - o.refused, n.denied - o.denied, n.edited - o.edited, n.expired - o.expired,
    n.ended - o.ended, n.corrected - o.corrected, n.corrected_unasked - o.corrected_unasked, n.over_blocked - o.over_blocked,
    n.waited - o.waited, n.waited_ms - o.waited_ms, n.begun - o.begun, n.begun_ms - o.begun_ms
  FROM business_of(p_new) n, business_of(p_old) o WHERE n IS DISTINCT FROM o
$$;
---
-- How long people took to answer, from shown to answered: of a card that lay open for hours at most a quarter of one counts.
CREATE FUNCTION answer_ms(d decision) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT least(greatest(wait_ms(d.shown_at, d.at), 0), 900000)
$$;
---
-- Adds up what is due; the caller is alone. A task turns from one kind to another by what is added to it.
CREATE FUNCTION fold_business(p_most int, p_day_ms double precision) RETURNS int LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  v_taken int;
  v_metrics int;
BEGIN
  WITH taken AS (
    DELETE FROM business_due
    WHERE id <= (SELECT max(x.id) FROM (SELECT id FROM business_due ORDER BY id LIMIT p_most) x) RETURNING *
  ), added AS (
    INSERT INTO business_count AS c (agent, period, segment, arm, release, tool, asked, executed, failed, unknown, refused, denied,
      edited, expired, ended, corrected, corrected_unasked, over_blocked, waited, waited_ms, begun, begun_ms, answers,
      answers_ms, untimed)
    SELECT agent, begin_of_quarter(at, p_day_ms), segment, arm, release, tool, sum(asked), sum(executed), sum(failed),
      sum(unknown), sum(refused), sum(denied), sum(edited), sum(expired), sum(ended), sum(corrected), sum(corrected_unasked),
      sum(over_blocked), sum(waited), sum(waited_ms), sum(begun), sum(begun_ms), sum(answers), sum(answers_ms), sum(untimed)
    FROM taken GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (agent, period, segment, arm, release, tool) DO UPDATE SET asked = c.asked + excluded.asked,
      executed = c.executed + excluded.executed, failed = c.failed + excluded.failed, unknown = c.unknown + excluded.unknown,
      refused = c.refused + excluded.refused, denied = c.denied + excluded.denied, edited = c.edited + excluded.edited,
      expired = c.expired + excluded.expired, ended = c.ended + excluded.ended, corrected = c.corrected + excluded.corrected,
      corrected_unasked = c.corrected_unasked + excluded.corrected_unasked,
      over_blocked = c.over_blocked + excluded.over_blocked, waited = c.waited + excluded.waited,
      waited_ms = c.waited_ms + excluded.waited_ms, begun = c.begun + excluded.begun, begun_ms = c.begun_ms + excluded.begun_ms,
      answers = c.answers + excluded.answers, answers_ms = c.answers_ms + excluded.answers_ms,
      untimed = c.untimed + excluded.untimed
  ), more AS (
    SELECT DISTINCT ON (agent, subject) agent, subject, begin_of_quarter(at, p_day_ms) AS period, segment, arm, release,
      sum(asked) OVER w AS asked, sum(open) OVER w AS open, sum(executed) OVER w AS executed, sum(unknown) OVER w AS unknown,
      sum(corrected) OVER w AS corrected, sum(handed) OVER w AS handed
    FROM taken WINDOW w AS (PARTITION BY agent, subject) ORDER BY agent, subject, at, id
  ), tasks AS (
    INSERT INTO business_task AS t (agent, subject, period, segment, arm, release, asked, open, executed, unknown, corrected, handed)
    SELECT agent, subject, period, segment, arm, release, asked, open, executed, unknown, corrected, handed FROM more
    ON CONFLICT (agent, subject) DO UPDATE SET asked = t.asked + excluded.asked, open = t.open + excluded.open,
      executed = t.executed + excluded.executed, unknown = t.unknown + excluded.unknown,
      corrected = t.corrected + excluded.corrected, handed = t.handed + excluded.handed
    RETURNING *
  ), turned AS (
    SELECT t.agent, t.period, t.segment, t.arm, t.release, s.started - b.started AS started, s.open - b.open AS open,
      s.done - b.done AS done, s."right" - b."right" AS "right", s.handed - b.handed AS handed
    FROM tasks t JOIN more m USING (agent, subject),
      LATERAL task_of(t.asked, t.open, t.executed, t.unknown, t.corrected, t.handed) s,
      LATERAL task_of((t.asked - m.asked)::int, (t.open - m.open)::int, (t.executed - m.executed)::int,
        (t.unknown - m.unknown)::int, (t.corrected - m.corrected)::int, (t.handed - m.handed)::int) b
  ), counted AS (
    INSERT INTO business_task_count AS c (agent, period, segment, arm, release, started, open, done, "right", handed)
    SELECT agent, period, segment, arm, release, sum(started), sum(open), sum(done), sum("right"), sum(handed)
    FROM turned GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (agent, period, segment, arm, release) DO UPDATE SET started = c.started + excluded.started,
      open = c.open + excluded.open, done = c.done + excluded.done, "right" = c."right" + excluded."right",
      handed = c.handed + excluded.handed
  )
  SELECT count(*) INTO v_taken FROM taken;
  WITH taken AS (
    DELETE FROM business_metric_due
    WHERE id <= (SELECT max(x.id) FROM (SELECT id FROM business_metric_due ORDER BY id LIMIT p_most) x) RETURNING *
  ), added AS (
    INSERT INTO business_metric_count AS c (agent, period, segment, arm, release, metric, n, harms, total)
    SELECT agent, begin_of_quarter(at, p_day_ms), segment, arm, release, metric, sum(n), sum(harms), sum(total)
    FROM taken GROUP BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (agent, period, segment, arm, release, metric) DO UPDATE SET n = c.n + excluded.n,
      harms = c.harms + excluded.harms, total = c.total + excluded.total
  )
  SELECT count(*) INTO v_metrics FROM taken;
  RETURN v_taken + v_metrics;
END $$;
---
-- What a task counts, by what its writes came to. One that only handed over asked for no write, and is none.
CREATE FUNCTION task_of(p_asked int, p_open int, p_executed int, p_unknown int, p_corrected int, p_handed int)
RETURNS TABLE (started int, open int, done int, "right" int, handed int) LANGUAGE sql IMMUTABLE AS $$
  SELECT (p_asked > 0)::int, (p_asked > 0 AND p_open > 0)::int, x.done::int, (x.done AND p_corrected = 0)::int,
    (p_asked > 0 AND p_handed > 0)::int
  FROM (SELECT p_asked > 0 AND p_executed > 0 AND p_open = 0 AND p_unknown = 0 AND p_handed = 0 AS done) x
$$;
---
-- Outcomes of metrics are not among it: what they weighed stands in no table, so they count from when counting began.
CREATE FUNCTION recount_business() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_day_ms double precision := coalesce((SELECT i.day_ms FROM installation i), 86400000);
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  CREATE TEMPORARY TABLE handed_before ON COMMIT DROP AS
    SELECT x.agent, x.subject, sum(x.handed) AS handed FROM (
      SELECT agent, subject, handed FROM business_task WHERE handed <> 0
      UNION ALL SELECT agent, subject, handed FROM business_due WHERE handed <> 0) x GROUP BY 1, 2;
  DELETE FROM business_count;
  DELETE FROM business_task;
  DELETE FROM business_task_count;
  WITH known AS (DELETE FROM business_due), rows AS MATERIALIZED (
    -- OFFSET 0: Postgres cannot plan a function of a row of partitions once it is inlined.
    SELECT a.id, a.agent, a.asked_at AS at, coalesce(a.segment, 'default') AS segment, a.arm, coalesce(a.release, '') AS release,
      a.tool, a.subject_digest AS subject, b.*, coalesce(d.answers, 0) AS answers, coalesce(d.ms, 0) AS answers_ms,
      coalesce(d.untimed, 0) AS untimed
    FROM action a, LATERAL (SELECT * FROM business_of(a) OFFSET 0) b,
      LATERAL (SELECT count(*) AS answers, sum(answer_ms(x)) AS ms, count(*) FILTER (WHERE x.shown_at IS NULL) AS untimed
        FROM decision x WHERE x.action_id = a.id) d
  ), counts AS (
    INSERT INTO business_count (agent, period, segment, arm, release, tool, asked, executed, failed, unknown, refused, denied,
      edited, expired, ended, corrected, corrected_unasked, over_blocked, waited, waited_ms, begun, begun_ms, answers,
      answers_ms, untimed)
    SELECT agent, begin_of_quarter(at, v_day_ms), segment, arm, release, tool, sum(asked), sum(executed), sum(failed),
      sum(unknown), sum(refused), sum(denied), sum(edited), sum(expired), sum(ended), sum(corrected), sum(corrected_unasked),
      sum(over_blocked), sum(waited), sum(waited_ms), sum(begun), sum(begun_ms), sum(answers), sum(answers_ms), sum(untimed)
    FROM rows GROUP BY 1, 2, 3, 4, 5, 6
  ), tasks AS (
    INSERT INTO business_task (agent, subject, period, segment, arm, release, asked, open, executed, unknown, corrected, handed)
    SELECT r.agent, r.subject, begin_of_quarter(r.at, v_day_ms), r.segment, r.arm, r.release, r.asked, r.open, r.executed,
      r.unknown, r.corrected, coalesce(h.handed, 0)
    FROM (SELECT DISTINCT ON (agent, subject) agent, subject, at, segment, arm, release, sum(asked) OVER w AS asked,
        sum(open) OVER w AS open, sum(executed) OVER w AS executed, sum(unknown) OVER w AS unknown,
        sum(corrected) OVER w AS corrected
      FROM rows WINDOW w AS (PARTITION BY agent, subject) ORDER BY agent, subject, at, id) r
      LEFT JOIN handed_before h USING (agent, subject)
    RETURNING *
  )
  INSERT INTO business_task_count (agent, period, segment, arm, release, started, open, done, "right", handed)
  SELECT t.agent, t.period, t.segment, t.arm, t.release, sum(s.started), sum(s.open), sum(s.done), sum(s."right"), sum(s.handed)
  FROM tasks t, LATERAL task_of(t.asked, t.open, t.executed, t.unknown, t.corrected, t.handed) s GROUP BY 1, 2, 3, 4, 5;
END $$;
