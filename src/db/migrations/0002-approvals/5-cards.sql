-- What a card compares its arguments with: the last one like it that went ahead.
CREATE INDEX action_ahead ON action (agent, tool, segment, decided_at DESC, id)
  WHERE state IN ('approved', 'executing', 'executed');
---
CREATE INDEX standing_approval_by_action ON standing_approval (action_id);
