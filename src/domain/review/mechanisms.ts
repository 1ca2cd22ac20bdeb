/** The mechanisms of incidents, in their order: the first control that should have stopped it and did not. */
export const MECHANISMS = [
  'around_gate',
  'unapproved',
  'late_stop',
  'excess_credential',
  'wrong_bucket',
  'tool_drift',
  'rule_defect',
  'runaway',
  'blind_evidence',
  'misled_approval',
  'steered_agent',
  'over_grant',
  'wrong_call',
  'over_block',
] as const;
