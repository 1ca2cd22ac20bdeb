-- People confirm each write of the candidate in the segment, because of its evidence.
ALTER TABLE rollout_segment ADD COLUMN asks boolean NOT NULL DEFAULT false;
-- What was done before a breach: once in a generation of the segment.
ALTER TABLE verdict ADD COLUMN early text[] NOT NULL DEFAULT '{}';
