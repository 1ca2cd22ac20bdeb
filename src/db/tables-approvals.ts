import type { Generated } from 'kysely';
import type { StandingEndedBecause } from '../domain/approval/standing.ts';
import type { Json, Timestamp } from './columns.ts';

/** Nulls: without end. */
export interface AgentApproverTable {
  agent: string;
  grp: string;
  person: string;
  from_at: Timestamp | null;
  until_at: Timestamp | null;
  via: string;
}

export interface GroupSourceTable {
  agent: string;
  grp: string;
  kind: string;
  fetched_at: Timestamp | null;
  fresh_until: Timestamp | null;
  error: string | null;
  unknown: Json<string[]>;
  /** Kind and id of what the people were read from. */
  source: Generated<string>;
  /** Of the manifest that named it. */
  revision: Generated<number>;
  /** When it is read again; null: at once. */
  next_at: Timestamp | null;
}

export interface DeputyTable {
  id: string;
  agent: string;
  from_person: string;
  to_person: string;
  grp: string | null;
  starts_at: Timestamp;
  ends_at: Timestamp;
  reason: string;
  created_at: Timestamp;
  created_by: string;
  revoked_at: Timestamp | null;
  revoked_by: string | null;
}

export interface StandingApprovalTable {
  id: string;
  agent: string;
  tool: string;
  grant_name: string;
  release: string;
  segment: string;
  arm: 'control' | 'candidate';
  generation: number | null;
  action_id: string;
  round: number;
  envelope: string;
  max_uses: number;
  used: number;
  starts_at: Timestamp;
  expires_at: Timestamp;
  created_by: string;
  ended_at: Timestamp | null;
  ended_because: StandingEndedBecause | null;
  ended_by: string | null;
}

export interface AutonomyTable {
  agent: string;
  release: string;
  grant_name: string;
  tool: string;
  segment: string;
  /** Each build earns for itself. */
  agent_version: string;
  state: 'ask' | 'proposed' | 'allow';
  evidence: Json<Record<string, unknown>>;
  /** What was asked before does not count. */
  evidence_from: Timestamp | null;
  changed_at: Timestamp;
  changed_by: string;
}

export interface ActionEditTable {
  action_id: string;
  round: number;
  editor: string;
  at: Timestamp;
  via: string;
  identity: string;
  reason: string | null;
  args_before: string | null;
  digest_before: string;
}

export interface SeenTable {
  action_id: string;
  person: string;
  at: Timestamp;
  via: string;
}

export interface CardTextTable {
  action_id: string;
  version: number;
  text: string | null;
}

export interface ReceiptTable {
  id: Generated<number>;
  action_id: string;
  round: number;
  person: string;
  verdict: 'approve' | 'deny';
  jws: string;
  shown: string | null;
  salt: Buffer | null;
  at: Timestamp;
}

/** The tables of approvals, as Kysely sees them. */
export interface ApprovalTables {
  agent_approver: AgentApproverTable;
  group_source: GroupSourceTable;
  deputy: DeputyTable;
  standing_approval: StandingApprovalTable;
  autonomy: AutonomyTable;
  action_edit: ActionEditTable;
  seen: SeenTable;
  card_text: CardTextTable;
  receipt: ReceiptTable;
}
