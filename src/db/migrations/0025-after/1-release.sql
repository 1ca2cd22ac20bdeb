-- Of a rollback that changed what is in force: the release that was, and what was asked under it outside of its rollout is covered too.
ALTER TABLE revocation ADD COLUMN release text;
