-- What people's words proposed and nobody has written out: at most so many are open at once.
CREATE INDEX CONCURRENTLY regression_case_by_word ON regression_case (agent)
  WHERE state = 'proposed' AND digest IS NULL;
