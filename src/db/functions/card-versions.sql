-- Every change of a row counts as one of what its card shows, unless it is named here: a new column cannot be forgotten.
CREATE FUNCTION raise_card_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  o action := OLD;
BEGIN
  o.card_version := NEW.card_version;
  o.reminders := NEW.reminders;
  o.asked_by_key := NEW.asked_by_key;
  o.behind_keys := NEW.behind_keys;
  -- That a post is due at another moment is not worth a post.
  IF o.reach - 'postAt' IS NOT DISTINCT FROM NEW.reach - 'postAt' THEN o.reach := NEW.reach; END IF;
  IF o IS DISTINCT FROM NEW THEN NEW.card_version := OLD.card_version + 1; END IF;
  RETURN NEW;
END $$;
---
CREATE TRIGGER action_changes_card BEFORE UPDATE ON action
  FOR EACH ROW EXECUTE FUNCTION raise_card_version();
---
-- For what a card shows beside the row of its action. It takes that row's lock: whoever needs several standing approvals
-- or actions locks the standing approvals first.
CREATE FUNCTION raise_card_version_of() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE action SET card_version = card_version + 1
  WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.action_id ELSE NEW.action_id END;
  RETURN NULL;
END $$;
---
CREATE TRIGGER answer_changes_card AFTER INSERT OR UPDATE OR DELETE ON decision
  FOR EACH ROW EXECUTE FUNCTION raise_card_version_of();
---
CREATE TRIGGER edit_changes_card AFTER INSERT OR UPDATE OR DELETE ON action_edit
  FOR EACH ROW EXECUTE FUNCTION raise_card_version_of();
---
CREATE TRIGGER arguments_change_card AFTER UPDATE OF args OR DELETE ON action_private
  FOR EACH ROW EXECUTE FUNCTION raise_card_version_of();
---
CREATE TRIGGER standing_approval_changes_card AFTER INSERT OR UPDATE OR DELETE ON standing_approval
  FOR EACH ROW EXECUTE FUNCTION raise_card_version_of();
