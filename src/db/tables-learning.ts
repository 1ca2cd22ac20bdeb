import type { ColumnType, Generated } from 'kysely';
import type { Done } from '../domain/follow-up/done.ts';
import type { Json, JsonOrNull, Timestamp } from './columns.ts';

/** What its opening ended, by name: how many of each. */
export interface Ended {
  standingApprovals?: number;
  autonomy?: number;
}

/** That an overdue follow-up does not block until then: who took it on, and why. */
export interface Waiver {
  person: string;
  reason: string;
  until: string;
}

export type IncidentState = 'open' | 'classified' | 'reproduced' | 'guarded' | 'closed';
export type FollowUpState = 'proposed' | 'committed' | 'claimed' | 'verified' | 'not_doing' | 'superseded';
export type Severity = 'high' | 'normal' | 'low';

export interface IncidentTable {
  id: string;
  agent: string;
  rollout_id: string | null;
  segment: string | null;
  metric: string | null;
  title: string;
  opened_at: Timestamp;
  opened_by: string;
  /** Null: unclassified, which is a state with a deadline and no class. */
  mechanism: string | null;
  evidence: Json<Record<string, unknown>>;
  breach_at: Timestamp | null;
  revoked_at: Timestamp | null;
  verified_at: Timestamp | null;
  breach_to_revoked_ms: number | null;
  state: Generated<IncidentState>;
  certainty: 'known' | 'suspected' | null;
  owner: string | null;
  severity: Generated<Severity>;
  /** What opened it. */
  because: Generated<string>;
  origin: string | null;
  result: string | null;
  tool: string | null;
  fingerprint: string | null;
  /** What the records say of each mechanism. */
  findings: JsonOrNull<unknown[]>;
  contributing: ColumnType<string[], string | undefined, string>;
  classified_at: Timestamp | null;
  classified_by: string | null;
  classify_by: Timestamp | null;
  remind_at: Timestamp | null;
  closed_at: Timestamp | null;
  closed_by: string | null;
  close_reason: string | null;
  merged_into: string | null;
  merged_at: Timestamp | null;
  merged_by: string | null;
  recurrence_of: string | null;
  /** Imported or of the past: its opening ended nothing. */
  historical: Generated<boolean>;
  /** Null: opened by the version before, whose triggers end it. */
  ended: JsonOrNull<Ended>;
  /** Whether what is earned in its segment counts from its opening on. */
  restarts_evidence: Generated<boolean>;
  /** What it was opened for, where that happens once: `stop:17`. */
  source: string | null;
  /** Actions that are in it; those of incidents merged into it come on top. */
  writes: Generated<number>;
  revision: Generated<number>;
}

export interface IncidentActionTable {
  action_id: string;
  incident_id: string;
  because: 'wrong_write' | 'unknown_harm' | 'wrongly_stopped' | 'named';
  at: Timestamp;
  by: string;
}

export interface IncidentLabelTable {
  incident_id: string;
  n: 1 | 2;
  mechanism: string;
  certainty: 'known' | 'suspected';
  origin: string | null;
  result: string | null;
  contributing: Json<string[]>;
  evidence: Json<unknown[]>;
  list_version: number;
  person: string;
  at: Timestamp;
}

export interface FollowUpTable {
  id: string;
  agent: string;
  incident_id: string | null;
  review_id: string | null;
  sentence: string;
  owner: string | null;
  due_at: Timestamp | null;
  severity: Generated<Severity>;
  done: Json<Done>;
  state: FollowUpState;
  reason: string | null;
  waiver: JsonOrNull<Waiver>;
  proposed_at: Timestamp;
  proposed_by: string;
  committed_at: Timestamp | null;
  committed_by: string | null;
  claimed_at: Timestamp | null;
  claimed_by: string | null;
  link: string | null;
  verified_at: Timestamp | null;
  verified_by: string | null;
  /** What its predicate last said, and of what. */
  checked: JsonOrNull<Record<string, unknown>>;
  superseded_by: string | null;
  remind_at: Timestamp | null;
  reminders: Generated<number>;
  check_at: Timestamp | null;
  revision: Generated<number>;
}

/** What is learnt from what went wrong. */
export interface LearningTables {
  incident: IncidentTable;
  incident_action: IncidentActionTable;
  incident_label: IncidentLabelTable;
  follow_up: FollowUpTable;
}
