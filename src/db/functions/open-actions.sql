-- Keeps what is not over beside the actions, whoever changes one.
CREATE FUNCTION keep_open_action() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state IN ('pending', 'executing') OR (NEW.state = 'approved' AND NEW.kind = 'write') THEN
    INSERT INTO open_action AS o (id, agent, tool, kind, segment, arm, rollout_id, epoch, state, decided_by, asked_at,
      expires_at, deadline_at)
    VALUES (NEW.id, NEW.agent, NEW.tool, NEW.kind, NEW.segment, NEW.arm, NEW.rollout_id, NEW.epoch, NEW.state,
      NEW.decided_by, NEW.asked_at, NEW.expires_at, NEW.deadline_at)
    ON CONFLICT (id) DO UPDATE SET state = NEW.state, decided_by = NEW.decided_by, expires_at = NEW.expires_at,
      deadline_at = NEW.deadline_at, segment = NEW.segment, arm = NEW.arm, epoch = NEW.epoch;
  ELSE
    DELETE FROM open_action WHERE id = NEW.id;
  END IF;
  RETURN NULL;
END $$;
---
CREATE TRIGGER action_is_open AFTER INSERT ON action
  FOR EACH ROW WHEN (NEW.state IN ('pending', 'executing') OR (NEW.state = 'approved' AND NEW.kind = 'write'))
  EXECUTE FUNCTION keep_open_action();
---
CREATE TRIGGER action_stays_open AFTER UPDATE ON action
  FOR EACH ROW WHEN (NEW.state <> OLD.state OR NEW.expires_at IS DISTINCT FROM OLD.expires_at
    OR NEW.deadline_at IS DISTINCT FROM OLD.deadline_at OR NEW.epoch <> OLD.epoch OR NEW.arm <> OLD.arm
    OR NEW.segment IS DISTINCT FROM OLD.segment)
  EXECUTE FUNCTION keep_open_action();
