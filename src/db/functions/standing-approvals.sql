-- One use of a standing approval, if it is live: committed with the action that used it.
CREATE FUNCTION use_standing_approval(p_id uuid, p_now timestamptz) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_action uuid;
BEGIN
  UPDATE standing_approval s SET used = s.used + 1,
    ended_at = CASE WHEN s.used + 1 >= s.max_uses THEN p_now END,
    ended_because = CASE WHEN s.used + 1 >= s.max_uses THEN 'spent' END
  WHERE s.id = p_id AND s.ended_at IS NULL AND s.used < s.max_uses AND s.expires_at > p_now
  RETURNING s.action_id INTO v_action;
  IF v_action IS NULL THEN RETURN false; END IF;
  -- The card it was given on says how often it was used.
  INSERT INTO outbox (topic, key) VALUES ('action', v_action::text);
  RETURN true;
END $$;
---
-- Ends the live standing approvals of a slice (null means any) and says why. Returns how many. Locks them in the order
-- of their ids, as ask_actions does: two that wait for each other would cost a stop a second, or the stop itself.
CREATE FUNCTION end_standing_approvals(p_agent text, p_tool text, p_segment text, p_because text,
  p_now timestamptz, p_actor text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  s standing_approval;
  v_count int := 0;
BEGIN
  FOR s IN SELECT * FROM standing_approval x
    WHERE x.ended_at IS NULL AND (p_agent IS NULL OR x.agent = p_agent) AND (p_tool IS NULL OR x.tool = p_tool)
      AND (p_segment IS NULL OR x.segment = p_segment)
    ORDER BY x.id FOR UPDATE LOOP
    UPDATE standing_approval x SET ended_at = p_now, ended_because = p_because, ended_by = p_actor WHERE x.id = s.id;
    v_count := v_count + 1;
    PERFORM log_append('standing_approval.ended', s.agent, s.id::text, p_now, p_actor,
      jsonb_build_object('because', p_because, 'used', s.used, 'of', s.max_uses));
    INSERT INTO outbox (topic, key) VALUES ('action', s.action_id::text);
  END LOOP;
  RETURN v_count;
END $$;
---
-- Whoever changes what a standing approval rests on, by whatever way, ends it in the same transaction.
CREATE FUNCTION end_standing_with_switch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.disabled THEN
    PERFORM end_standing_approvals(x.agent, x.tool, NULL, 'switch', NEW.changed_at, NEW.actor)
    FROM read_scope(NEW.scope) AS x;
  END IF;
  RETURN NULL;
END $$;
---
CREATE TRIGGER switch_ends_standing AFTER INSERT OR UPDATE ON switch
  FOR EACH ROW EXECUTE FUNCTION end_standing_with_switch();
---
-- Of an incident that the version before opens; whoever opens one now ends by name what it ends.
CREATE FUNCTION end_standing_with_incident() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_standing_approvals(NEW.agent, NULL, NEW.segment, 'incident', NEW.opened_at, NEW.opened_by);
  RETURN NULL;
END $$;
---
CREATE TRIGGER incident_ends_standing AFTER INSERT ON incident
  FOR EACH ROW WHEN (NEW.ended IS NULL) EXECUTE FUNCTION end_standing_with_incident();
---
CREATE FUNCTION end_standing_with_rollback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_agent text;
BEGIN
  SELECT agent INTO v_agent FROM rollout WHERE id = NEW.rollout_id;
  PERFORM end_standing_approvals(v_agent, NULL, NEW.segment, 'rolled_back', NEW.changed_at, 'rollback');
  RETURN NULL;
END $$;
---
CREATE TRIGGER rollback_ends_standing AFTER UPDATE ON rollout_segment
  FOR EACH ROW WHEN (NEW.state = 'rolled_back' AND OLD.state <> 'rolled_back')
  EXECUTE FUNCTION end_standing_with_rollback();
---
CREATE FUNCTION end_standing_with_phase() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_standing_approvals(NEW.agent, NULL, NULL, 'phase_change',
    coalesce(NEW.ended_at, NEW.ticking_since, clock_timestamp()), 'rollout');
  RETURN NULL;
END $$;
---
CREATE TRIGGER phase_ends_standing AFTER UPDATE ON rollout
  FOR EACH ROW WHEN (NEW.step_index <> OLD.step_index OR (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL))
  EXECUTE FUNCTION end_standing_with_phase();
---
CREATE FUNCTION end_standing_with_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM end_standing_approvals(NEW.agent, NULL, NEW.segment, 'new_release', NEW.since, 'release');
  RETURN NULL;
END $$;
---
CREATE TRIGGER release_ends_standing AFTER UPDATE ON in_force
  FOR EACH ROW WHEN (NEW.release <> OLD.release) EXECUTE FUNCTION end_standing_with_release();
