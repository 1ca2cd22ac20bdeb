-- The squares of the values of a day, in fixed point 2^-32: what bounds the mean of a baseline.
ALTER TABLE day_sum ADD COLUMN squares numeric(80, 0) NOT NULL DEFAULT 0;
