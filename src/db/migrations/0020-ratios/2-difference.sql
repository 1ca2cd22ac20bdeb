-- Of a sum that is compared between the arms: what it came to, and the logs of the bets on the difference of their means.
ALTER TABLE first_count ADD COLUMN total numeric(40, 0) NOT NULL DEFAULT 0, ADD COLUMN logs bigint[] NOT NULL DEFAULT '{}',
  ADD COLUMN over int NOT NULL DEFAULT 0;
