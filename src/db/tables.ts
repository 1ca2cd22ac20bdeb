import type { Generated, JSONColumnType } from 'kysely';
import type { Agent } from '../domain/agent.ts';
import type { Release } from '../domain/release.ts';
import type { Json, Timestamp } from './columns.ts';
import type { AccessTables } from './tables-access.ts';
import type {
  ActionAlertTable,
  ActionPrivateTable,
  ActionReachTable,
  ActionTable,
  AskedKeyTable,
  CredentialTable,
  DecisionTable,
  OpenActionTable,
  ReadRecordTable,
} from './tables-action.ts';
import type { ApprovalTables } from './tables-approvals.ts';
import type { CaseTables } from './tables-cases.ts';
import type { EvidenceTables } from './tables-evidence.ts';
import type { LearningTables } from './tables-learning.ts';
import type { PreflightTables } from './tables-replay.ts';
import type { RetentionTables } from './tables-retention.ts';
import type { ReviewTables } from './tables-reviews.ts';
import type { RolloutTables } from './tables-rollout.ts';
import type { SlackTables } from './tables-slack.ts';

export interface AgentTable {
  name: string;
  manifest: Json<Agent>;
  digest: string;
  definitions_digest: string;
  revision: number;
  applied_at: Timestamp;
  applied_by: string;
  /** What its people's names come down to (`personKeys`), for the gate. */
  person_keys: Json<Record<string, string[]>>;
}

export interface ReleaseTable {
  agent: string;
  version: string;
  manifest: Json<Release>;
  digest: string;
  created_at: Timestamp;
  created_by: string;
}

export interface InForceTable {
  agent: string;
  segment: string;
  release: string;
  since: Timestamp;
  because: string;
}

export interface SwitchTable {
  scope: string;
  disabled: boolean;
  reads: boolean;
  reason: string;
  actor: string;
  changed_at: Timestamp;
  epoch: number;
  enable_asked_by: string | null;
}

/** A stop as somebody asked for it. */
interface AskedStop {
  id: Generated<number>;
  scope: string;
  reads: boolean;
  reason: string;
  actor: string;
  at: Timestamp;
}

/** One stop; several of a scope are open when it was stopped again. */
export interface StopTable extends AskedStop {
  epoch: number;
  ended_at: Timestamp | null;
  ended_by: string | null;
}

/** That a stop was asked for, kept until it has closed the gate. */
export interface StopIntentTable extends AskedStop {
  closed_at: Timestamp | null;
}

export interface SubjectTable {
  id: Generated<number>;
  agent: string;
  name: string;
  key: Buffer;
}

export interface OutcomeTable {
  agent: string;
  id: string;
  action_id: string;
  metric: string;
  value: number;
  /** Of a ratio: what the value is set against. */
  per: number | null;
  reported_by: string;
  received_at: Timestamp;
}

export interface AlertTable {
  id: string;
  agent: string | null;
  kind: string;
  facts: Json<Record<string, unknown>>;
  created_at: Timestamp;
  webhook_at: Timestamp | null;
  webhooks_taken: Generated<string[]>;
  delivered_at: Timestamp | null;
}

export interface CallbackTable {
  key: string;
  payload: Json<Record<string, unknown>>;
  at: Timestamp;
}

export interface WorkerBuildTable {
  build: string;
  first_at: Timestamp;
}

export interface ReconciliationTable {
  id: Generated<number>;
  at: Timestamp;
  open: number;
}

export interface CardTable {
  channel: string;
  ts: string;
  ref: string;
  revision: number;
  posted_at: Timestamp;
}

export interface OutboxTable {
  id: Generated<number>;
  topic: 'action' | 'rollout' | 'alert' | 'callback' | 'digest';
  key: string;
  payload: JSONColumnType<Record<string, unknown>>;
  created_at: Generated<Timestamp>;
  not_before: Generated<Timestamp>;
  attempts: Generated<number>;
  error: string | null;
}

interface Entry {
  at: Timestamp;
  kind: string;
  agent: string | null;
  ref: string | null;
  body: string;
}

/** The log, numbered and chained. */
export interface LogEntryTable extends Entry {
  seq: number;
  hash: Buffer;
}

/** Committed with what it records, and not numbered yet. */
export interface LogUnnumberedTable extends Entry {
  id: Generated<number>;
}

/** What was taken away, and what follows from it. */
export interface RevocationTable {
  id: Generated<number>;
  kind: 'switch' | 'rollback' | 'release';
  agent: string | null;
  tool: string | null;
  rollout_id: string | null;
  segment: string | null;
  arm: 'control' | 'candidate' | null;
  /** Of a rollback that changed what is in force: the release that was. */
  release: string | null;
  kinds: ('read' | 'write')[];
  becomes: 'disabled' | 'superseded';
  because: string;
  epoch: number;
  actor: string;
  at: Timestamp;
  facts: Json<Record<string, unknown>>;
  voided: number | null;
  done_at: Timestamp | null;
}

/** What the store keeps of the functions, triggers and views that were put there. */
export interface StoredCodeTable {
  kind: 'FUNCTION' | 'TRIGGER' | 'VIEW';
  /** As DROP calls it. */
  identity: string;
  /** What cannot be replaced in place. A trigger: the function it runs. */
  head: string;
  digest: string;
}

/** Every table, as Kysely sees it. */
export interface Tables
  extends AccessTables,
    EvidenceTables,
    ApprovalTables,
    CaseTables,
    LearningTables,
    PreflightTables,
    RolloutTables,
    SlackTables,
    RetentionTables,
    ReviewTables {
  agent: AgentTable;
  release: ReleaseTable;
  in_force: InForceTable;
  switch: SwitchTable;
  stop: StopTable;
  stop_intent: StopIntentTable;
  subject: SubjectTable;
  action: ActionTable;
  any_action: ActionTable;
  read_record: ReadRecordTable;
  asked_key: AskedKeyTable;
  open_action: OpenActionTable;
  action_private: ActionPrivateTable;
  action_reach: ActionReachTable;
  action_alert: ActionAlertTable;
  decision: DecisionTable;
  credential: CredentialTable;
  outcome: OutcomeTable;
  alert: AlertTable;
  card: CardTable;
  outbox: OutboxTable;
  callback: CallbackTable;
  reconciliation: ReconciliationTable;
  worker_build: WorkerBuildTable;
  log_entry: LogEntryTable;
  log_unnumbered: LogUnnumberedTable;
  revocation: RevocationTable;
  stored_code: StoredCodeTable;
}
