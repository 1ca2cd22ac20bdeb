-- When the owners were first told of the gate that is open, and when on-call was because nobody answered.
ALTER TABLE rollout ADD COLUMN gate_asked_at timestamptz, ADD COLUMN gate_escalated_at timestamptz;
