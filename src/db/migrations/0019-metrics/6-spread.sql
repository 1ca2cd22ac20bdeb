-- When people were asked because all segments together do worse than each is allowed, without any one of them being to blame.
ALTER TABLE rollout ADD COLUMN spread_held_at timestamptz;
