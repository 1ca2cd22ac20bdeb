-- A process of a version that does not keep who paused a rollout, or since when a build holds it, leaves there what was so before:
-- whoever changes the one and not the other makes it unknown.
CREATE FUNCTION forget_paused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status <> OLD.status AND NEW.paused_at IS NOT DISTINCT FROM OLD.paused_at THEN
    NEW.paused_at := NULL;
    NEW.paused_by := NULL;
    NEW.paused_because := NULL;
  END IF;
  IF NEW.held_for_version IS DISTINCT FROM OLD.held_for_version
    AND NEW.held_for_version_at IS NOT DISTINCT FROM OLD.held_for_version_at THEN
    NEW.held_for_version_at := NULL;
  END IF;
  RETURN NEW;
END $$;
---
CREATE TRIGGER paused_is_kept BEFORE UPDATE OF status, held_for_version ON rollout
  FOR EACH ROW EXECUTE FUNCTION forget_paused();
