-- What statistics, reviews and reports of wrongly stopped writes look for.
CREATE INDEX action_asked_of_people ON action (asked_at) WHERE approval IS NOT NULL;
---
CREATE INDEX action_corrected ON action (corrected_at) WHERE corrected_at IS NOT NULL;
---
CREATE INDEX action_unreviewed ON action (decided_at) WHERE break_glass AND reviewed_at IS NULL;
---
CREATE INDEX decision_by_time ON decision (at);
---
CREATE INDEX action_edit_by_time ON action_edit (at);
