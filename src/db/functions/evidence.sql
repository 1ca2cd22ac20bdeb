CREATE FUNCTION queue_judgement(p_rollout text, p_segment text, p_since timestamptz) RETURNS void LANGUAGE sql AS $$
  INSERT INTO judge_queue AS q (rollout_id, segment, since) VALUES (p_rollout, p_segment, p_since)
  ON CONFLICT (rollout_id, segment) DO UPDATE SET n = q.n + 1
$$;
---
-- The start-day bucket of a moment: whole days since the rollout started, 0 on the first.
CREATE FUNCTION event_day(p_rollout text, p_at timestamptz) RETURNS int LANGUAGE sql STABLE AS $$
  SELECT greatest(0, floor(extract(epoch FROM p_at - o.started_at) * 1000 / o.day_ms))::int FROM rollout o WHERE o.id = p_rollout
$$;
---
-- Whether a subject-day has this action to show: a write that began and did not fail, or a proposal that waits for people
-- or was approved by them and may yet begin. What people said against it counts by its value instead.
CREATE FUNCTION bears_evidence(a action, p_from text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT a.state IN ('executing', 'executed', 'unknown') OR (p_from = 'asked' AND a.state IN ('pending', 'approved'))
$$;
---
-- Says what came of an action, 0 for no harm. Counted by whoever counts the evidence, never here: the counts are the same
-- row for many, and whoever begins or stops a write must not wait for it.
CREATE FUNCTION know_event(p_action uuid, p_metric text, p_value double precision, p_at timestamptz)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO evidence_due (action_id, metric, value, at) VALUES (p_action, p_metric, p_value, p_at)
$$;
---
-- Counts what is due, at most p_most: one at a time, in the caller's transaction. Returns how many it took.
CREATE FUNCTION count_evidence(p_most int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  d evidence_due;
  a action;
  m record;
  v_count int := 0;
BEGIN
  PERFORM pg_advisory_xact_lock(727009);
  FOR d IN DELETE FROM evidence_due WHERE id IN (SELECT id FROM evidence_due ORDER BY id LIMIT p_most) RETURNING * LOOP
    v_count := v_count + 1;
    SELECT * INTO a FROM action x WHERE x.id = d.action_id;
    -- What comes when its watch is over says nothing of it any more, however late it is counted; nor what is counted when it was
    -- judged for the last time.
    CONTINUE WHEN EXISTS (SELECT 1 FROM rollout o
      WHERE o.id = a.rollout_id AND (o.watch_until <= d.at OR o.watch_ended_at IS NOT NULL));
    FOR m IN SELECT key, value FROM jsonb_each_text(a.counts) WHERE d.metric IS NULL OR key = d.metric LOOP
      PERFORM count_event(a, m.key, m.value, d);
    END LOOP;
  END LOOP;
  RETURN v_count;
END $$;
---
-- Brings one subject-day of one build up to date, from the actions as they are now: the order in which things become due is no matter.
-- It is in while an action bears it, or harm is known of one that was proposed or begun; else out, and nothing is known.
CREATE FUNCTION count_event(a action, p_metric text, p_from text, d evidence_due) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $$
DECLARE
  v_day int := CASE WHEN p_from = 'asked' THEN a.event_day ELSE a.begun_day END;
  v subject_day;
  w subject_day;
  v_bears boolean;
  v_touched boolean;
  v_first uuid;
  v_told boolean := d.metric IS NOT NULL;
BEGIN
  IF v_day IS NULL THEN RETURN; END IF;
  -- Arm and segment with nothing added: without statistics the index of whole rollouts looks as good as that of the subject-day.
  IF p_from = 'asked' THEN
    SELECT coalesce(bool_or(bears_evidence(x, p_from)), false), count(*) > 0 INTO v_bears, v_touched FROM action x
    WHERE x.subject_digest = a.subject_digest AND x.rollout_id = a.rollout_id AND x.arm || '' = a.arm AND x.segment || '' = a.segment
      AND x.generation = a.generation AND x.counts ->> p_metric = p_from AND x.event_day = v_day AND x.counts <> '{}'
      AND x.agent_version = a.agent_version;
  ELSE
    SELECT coalesce(bool_or(bears_evidence(x, p_from)), false), coalesce(bool_or(x.began_at IS NOT NULL), false),
      (array_agg(x.id ORDER BY x.began_at, x.id) FILTER (WHERE bears_evidence(x, p_from)))[1]
    INTO v_bears, v_touched, v_first FROM action x
    WHERE x.subject_digest = a.subject_digest AND x.rollout_id = a.rollout_id AND x.arm || '' = a.arm AND x.segment || '' = a.segment
      AND x.generation = a.generation AND x.counts ->> p_metric = p_from AND x.begun_day = v_day AND x.begun_day IS NOT NULL
      AND x.counts <> '{}' AND x.agent_version = a.agent_version;
  END IF;
  SELECT * INTO v FROM subject_day s
  WHERE s.rollout_id = a.rollout_id AND s.arm = a.arm AND s.segment = a.segment AND s.generation = a.generation
    AND s.metric = p_metric AND s.day = v_day AND s.subject = a.subject_digest AND s.build = a.agent_version;
  IF NOT FOUND THEN
    v := ROW(a.rollout_id, a.arm, a.segment, a.generation, p_metric, v_day, 0, false, false, a.subject_digest, a.agent_version, NULL);
  END IF;
  -- Of the day's first write only, where the first is what counts: what comes of a later one is no news.
  v_told := v_told AND (p_from <> 'first' OR a.id = v_first);
  w := v;
  -- What was said of another one, that was first before and failed, or was not first then, is read again.
  IF p_from = 'ratio' THEN
    SELECT coalesce(sum(o.value), 0), min(o.per), count(*) > 0 INTO w.value, w.per, w.known
    FROM outcome o WHERE o.action_id = v_first AND o.metric = p_metric;
  ELSIF v_told THEN
    w.value := CASE p_from WHEN 'sum' THEN v.value + d.value ELSE greatest(v.value, d.value) END;
  END IF;
  w.counted := v_bears OR (w.value > 0 AND v_touched);
  w.known := w.counted AND (CASE p_from WHEN 'ratio' THEN w.known ELSE v.known OR v_told END);
  IF w IS NOT DISTINCT FROM v THEN RETURN; END IF;
  INSERT INTO subject_day SELECT w.* ON CONFLICT (rollout_id, arm, segment, generation, metric, day, build, subject)
  DO UPDATE SET value = w.value, known = w.known, counted = w.counted, per = w.per;
  -- What was never in leaves no day behind; what was in keeps its day, empty as it may be (STATISTICS 4.2).
  IF NOT (v.counted OR w.counted) THEN RETURN; END IF;
  INSERT INTO day_count AS c (rollout_id, arm, segment, generation, metric, day, build, events, harms, known)
  VALUES (w.rollout_id, w.arm, w.segment, w.generation, w.metric, w.day, w.build, w.counted::int - v.counted::int,
    is_harm(w, p_from)::int - is_harm(v, p_from)::int, w.known::int - v.known::int)
  ON CONFLICT (rollout_id, arm, segment, generation, metric, day, build)
  DO UPDATE SET events = c.events + excluded.events, harms = c.harms + excluded.harms, known = c.known + excluded.known;
  IF p_from IN ('sum', 'ratio') THEN
    PERFORM count_sum(v, w);
  END IF;
  PERFORM count_first(a, v, w, d.at);
  IF a.arm = 'candidate' THEN
    PERFORM queue_judgement(a.rollout_id, a.segment, d.at);
  END IF;
END $$;
---
-- Brings what came of a subject's first day up to date, in a metric that is compared between the arms. A subject counts once,
-- where it was first seen while chance decided its arm (STATISTICS 4.3): not where all or none was exposed, nor where it was kept
-- in control for being one too many.
CREATE FUNCTION count_first(a action, v subject_day, w subject_day, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  f first_day;
  g jsonb;
  v_ripe interval;
  b first_count;
  n first_count;
BEGIN
  SELECT coalesce(o.plan -> 'sums' -> w.metric, '{}'), make_interval(secs => (o.plan -> 'ripeMs' ->> w.metric)::double precision / 1000)
  INTO g, v_ripe FROM rollout o
  WHERE o.id = w.rollout_id AND w.metric = ANY (o.compared);
  IF NOT FOUND THEN RETURN; END IF;
  SELECT * INTO f FROM first_day x
  WHERE x.rollout_id = w.rollout_id AND x.segment = w.segment AND x.metric = w.metric AND x.subject = w.subject;
  IF NOT FOUND THEN
    INSERT INTO first_day SELECT w.rollout_id, w.segment, w.metric, w.subject, w.arm, w.generation, e.exposure, w.day, w.build
    FROM exposure e WHERE e.rollout_id = w.rollout_id AND e.segment = w.segment
      AND e.from_at <= a.asked_at AND (e.until_at IS NULL OR e.until_at > a.asked_at)
      AND e.exposure < 10000 AND (a.bucket < e.exposure) = (a.arm = 'candidate')
    RETURNING * INTO f;
    -- Whatever it was counted as elsewhere before, here it begins.
    v.value := 0;
    v.counted := false;
    v.known := false;
  END IF;
  IF (f.arm, f.generation, f.day, f.build) IS DISTINCT FROM (w.arm, w.generation, w.day, w.build) THEN
    RETURN;
  END IF;
  -- A day that was ripe may have been compared: what comes later would make one in control cheaper, or more harmful, than it was
  -- taken for, so of both arms it is no part of what is compared. Nor is anything after it of the same subject, said in time and counted late as it may be.
  IF event_day(w.rollout_id, p_at - v_ripe) > w.day THEN
    UPDATE first_day x SET stands = true
    WHERE x.rollout_id = f.rollout_id AND x.segment = f.segment AND x.metric = f.metric AND x.subject = f.subject;
    RETURN;
  END IF;
  IF f.stands OR EXISTS (SELECT 1 FROM ripe_day x WHERE x.rollout_id = w.rollout_id AND x.metric = w.metric AND x.before > w.day) THEN
    RETURN;
  END IF;
  b := first_of(v, a.counts ->> w.metric, f.exposure, g);
  n := first_of(w, a.counts ->> w.metric, f.exposure, g);
  INSERT INTO first_count AS c
  VALUES (n.rollout_id, n.segment, n.metric, n.generation, n.exposure, n.arm, n.day, n.subjects - b.subjects, n.harms - b.harms,
    n.known - b.known, n.total - b.total, add_logs(n.logs, b.logs, -1), n.over - b.over)
  ON CONFLICT (rollout_id, segment, metric, generation, exposure, arm, day)
  DO UPDATE SET subjects = c.subjects + excluded.subjects, harms = c.harms + excluded.harms, known = c.known + excluded.known,
    total = c.total + excluded.total, logs = add_logs(c.logs, excluded.logs, 1), over = c.over + excluded.over;
  IF w.arm = 'control' THEN
    PERFORM queue_judgement(w.rollout_id, w.segment, p_at);
  END IF;
END $$;
---
-- What a subject's first day adds to its arm. Of a sum with a cap B, where a share p of the subjects is treated and at most q
-- ever is: Z = Y/p if treated, else -Y/(1-p), as x = Z + B/(1-q) against the difference that is let pass (STATISTICS 4.3). Of
-- whom nobody said anything a treated one has nothing and one in control the cap: x may only grow.
CREATE FUNCTION first_of(s subject_day, p_from text, p_exposure int, g jsonb) RETURNS first_count LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_cap double precision := (g ->> 'cap')::double precision;
  v_share double precision := p_exposure / 10000.0;
  v_most int := (g -> 'exposed' ->> s.segment)::int;
  v_shift double precision := v_cap / (1 - v_most / 10000.0);
  n first_count;
BEGIN
  n := ROW(s.rollout_id, s.segment, s.metric, s.generation, p_exposure, s.arm, s.day, s.counted::int, is_harm(s, p_from)::int,
    s.known::int, 0, '{}', 0);
  IF NOT s.counted OR p_from <> 'sum' THEN RETURN n; END IF;
  n.total := floor(s.value::numeric * 4294967296);
  -- Of a treated one the cap bounds nothing here: what is above it weighs as it is.
  IF s.arm = 'control' AND s.value > v_cap THEN n.over := 1; END IF;
  IF p_exposure > v_most OR v_most IS NULL OR g ->> 'more' IS NULL THEN RETURN n; END IF;
  n.logs := value_logs(greatest(0, v_shift + CASE WHEN s.arm = 'candidate' THEN s.value / v_share
    ELSE -(CASE WHEN s.known THEN s.value ELSE v_cap END) / (1 - v_share) END), (g ->> 'more')::double precision + v_shift);
  RETURN n;
END $$;
---
-- A sum or a ratio is no harm: it is weighed.
CREATE FUNCTION is_harm(s subject_day, p_from text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT s.counted AND s.value > 0 AND p_from NOT IN ('sum', 'ratio')
$$;
---
-- log(1 + k(x/m - 1)) of each of the 16 bets k, in fixed point 2^-32, rounded down (STATISTICS 4.1).
CREATE FUNCTION value_logs(p_value double precision, p_limit double precision) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(floor(ln(1 + 0.95 * power(10::double precision, -2 + 2 * j / 15.0::double precision) * (p_value / p_limit - 1))
    * 4294967296)::bigint ORDER BY j) FROM generate_series(0, 15) AS j
$$;
---
CREATE FUNCTION add_logs(p_one bigint[], p_other bigint[], p_sign int) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(array_agg(coalesce(one, 0) + p_sign * coalesce(other, 0) ORDER BY n), '{}')
  FROM unnest(p_one, p_other) WITH ORDINALITY AS t (one, other, n)
$$;
---
-- What a subject-day adds to its day: nothing unless it counts. Of a ratio x = C + r(P - S) against m = rP, P what S can be at
-- most: what nobody said counts as P (STATISTICS 4.2). Of what nobody reported on the proof of safety supposes the cap: silence
-- proves nothing.
CREATE FUNCTION sum_of(s subject_day, g jsonb) RETURNS day_sum LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_per_max double precision := (g ->> 'perMax')::double precision;
  v_shift double precision := coalesce((g ->> 'limit')::double precision * v_per_max, 0);
  v_limit double precision := CASE WHEN v_per_max IS NULL THEN (g ->> 'limit')::double precision ELSE v_shift END;
  v_cap double precision := (g ->> 'cap')::double precision + v_shift;
  x double precision := s.value + coalesce((g ->> 'limit')::double precision * (v_per_max - coalesce(s.per, v_per_max)), 0);
  n day_sum;
BEGIN
  n := ROW(s.rollout_id, s.arm, s.segment, s.generation, s.metric, s.day, s.build, 0, '{}', '{}', 0, 0, 0);
  IF NOT s.counted THEN RETURN n; END IF;
  n.total := floor(s.value::numeric * 4294967296);
  n.squares := floor(s.value::numeric * s.value::numeric * 4294967296);
  n.per := floor(coalesce(s.per, 0)::numeric * 4294967296);
  IF v_limit IS NOT NULL THEN n.logs := value_logs(x, v_limit); END IF;
  IF v_cap > v_limit THEN
    n.safety := value_logs(CASE WHEN s.known THEN greatest(0, v_cap - x) ELSE 0 END, v_cap - v_limit);
  END IF;
  IF x > v_cap THEN n.over := 1; END IF;
  RETURN n;
END $$;
---
-- What a sum is judged by: of the release in force only its cap, for nothing is taken back there. Against the baseline the limit is
-- that of its segment, as it was locked.
CREATE FUNCTION sum_limits(o rollout, s subject_day) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN s.arm <> 'candidate' THEN jsonb_build_object('cap', g.g -> 'cap')
    WHEN g.g ? 'limit' THEN g.g
    ELSE g.g || coalesce((SELECT jsonb_build_object('limit', b -> 'own' -> 'limit') FROM jsonb_array_elements(o.baseline) b
      WHERE b ->> 'segment' = s.segment AND b ->> 'metric' = s.metric), '{}') END
  FROM (SELECT o.plan -> 'sums' -> s.metric AS g) g
$$;
---
-- Brings the sum of a day up to date, by what a subject-day was and is; the limit and the cap are the rollout's.
CREATE FUNCTION count_sum(v subject_day, w subject_day) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  g jsonb := (SELECT sum_limits(o, w) FROM rollout o WHERE o.id = w.rollout_id);
  b day_sum := sum_of(v, g);
  n day_sum := sum_of(w, g);
BEGIN
  n.total := n.total - b.total;
  n.per := n.per - b.per;
  n.squares := n.squares - b.squares;
  n.logs := add_logs(n.logs, b.logs, -1);
  n.safety := add_logs(n.safety, b.safety, -1);
  n.over := n.over - b.over;
  INSERT INTO day_sum AS s SELECT n.*
  ON CONFLICT (rollout_id, arm, segment, generation, metric, day, build)
  DO UPDATE SET total = s.total + excluded.total, per = s.per + excluded.per, squares = s.squares + excluded.squares, logs = add_logs(s.logs, excluded.logs, 1),
    safety = add_logs(s.safety, excluded.safety, 1), over = s.over + excluded.over;
END $$;
---
-- Keeps how far a segment is exposed, and since when, whoever changes it.
CREATE FUNCTION keep_exposure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE exposure SET until_at = NEW.changed_at
  WHERE rollout_id = NEW.rollout_id AND segment = NEW.segment AND until_at IS NULL;
  IF NEW.exposure > 0 THEN
    INSERT INTO exposure (rollout_id, segment, generation, exposure, from_at)
    VALUES (NEW.rollout_id, NEW.segment, NEW.generation, NEW.exposure, NEW.changed_at);
  END IF;
  RETURN NULL;
END $$;
---
CREATE TRIGGER exposure_is_kept AFTER UPDATE ON rollout_segment
  FOR EACH ROW WHEN (NEW.exposure <> OLD.exposure OR NEW.generation <> OLD.generation)
  EXECUTE FUNCTION keep_exposure();
---
-- Subject-days of the baseline on which a write of a tool (of any, where null) began, or was proposed where people's answers
-- count, whoever decided it; and those that ran unasked. p_changed: segments that are not what they were at the start, and from
-- which day on each counts.
CREATE FUNCTION baseline_volume(p_rollout text, p_tool text, p_proposals boolean, p_changed jsonb DEFAULT '[]')
RETURNS TABLE (segment text, writes int, unasked int) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(727015);
  WHILE fold_volumes(2000) > 0 LOOP END LOOP;
  RETURN QUERY
  WITH changed AS (SELECT x.segment, x."from" FROM jsonb_to_recordset(p_changed) AS x (segment text, "from" int)),
  volume AS (
    SELECT v.segment, v.begun, v.unasked, v.either FROM volume_count v
    WHERE v.rollout_id = p_rollout AND v.tool = coalesce(p_tool, '')
      AND NOT EXISTS (SELECT 1 FROM changed c WHERE c.segment = v.segment)
    UNION ALL
    SELECT d.segment, count(*) FILTER (WHERE d.begun > 0)::int, count(*) FILTER (WHERE d.unasked > 0)::int,
      count(*) FILTER (WHERE d.begun + d.proposed > 0)::int
    FROM changed c JOIN volume_day d ON d.rollout_id = p_rollout AND d.segment = c.segment
      AND d.tool = coalesce(p_tool, '') AND d.day >= c."from"
    GROUP BY d.segment
  )
  SELECT v.segment, w.days, v.unasked
  FROM volume v, LATERAL (SELECT CASE WHEN p_proposals THEN v.either ELSE v.begun END AS days) w WHERE w.days > 0;
END $$;
