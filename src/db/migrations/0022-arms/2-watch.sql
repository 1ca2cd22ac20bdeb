-- Until when a rollout is watched after it completed, where its release says so, and when that was found to be over.
ALTER TABLE rollout ADD COLUMN watch_until timestamptz, ADD COLUMN watch_ended_at timestamptz;
