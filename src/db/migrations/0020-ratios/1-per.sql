-- What the value of an outcome is set against, of a ratio: null where nothing is, or nobody said.
ALTER TABLE outcome ADD COLUMN per double precision;
---
ALTER TABLE subject_day ADD COLUMN per double precision;
---
ALTER TABLE day_sum ADD COLUMN per numeric(40, 0) NOT NULL DEFAULT 0;
