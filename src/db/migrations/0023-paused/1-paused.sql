-- Since when a rollout is paused, who or what did it, and why; null while it runs, and of what was paused before this was kept.
ALTER TABLE rollout ADD COLUMN paused_at timestamptz, ADD COLUMN paused_by text, ADD COLUMN paused_because text;
---
-- When the build that holds a rollout was first seen.
ALTER TABLE rollout ADD COLUMN held_for_version_at timestamptz;
