import type { Generated } from 'kysely';
import type { ActionState, SupersededBecause } from '../domain/action.ts';
import type { Risk } from '../domain/agent.ts';
import type { Route } from '../domain/approval/approval.ts';
import type { Way } from '../domain/approval/reach.ts';
import type { Arm, Reason } from '../domain/decision.ts';
import type { CountsFrom } from '../domain/evidence/measure.ts';
import type { ApprovalPolicy } from '../domain/release.ts';
import type { Json, JsonOrNull, Timestamp } from './columns.ts';

export interface ActionTable {
  id: string;
  agent: string;
  idempotency_key: string;
  request_digest: string;
  /** Of tool and arguments alone: whether the same was asked before. Empty once erased. */
  same_digest: string;
  agent_version: string;
  tool: string;
  kind: 'read' | 'write';
  segment: string | null;
  arm: Arm;
  release: string | null;
  rollout_id: string | null;
  generation: number | null;
  bucket: number | null;
  phase: string | null;
  event_day: number | null;
  /** The day it began: where what was done counts. */
  begun_day: number | null;
  /** What it counts in, and from when on. */
  counts: Json<Record<string, CountsFrom>>;
  epoch: number;
  grant_name: string | null;
  state: ActionState;
  decided_by: 'policy' | 'person' | null;
  superseded_because: SupersededBecause | null;
  /** How it ended, if it neither was denied nor began. */
  ended_at: Timestamp | null;
  ended_by: string | null;
  /** In people's words; of what is void `superseded_because` says it, of what the agent took back `withdraw_reason`. */
  ended_because: string | null;
  revision: number;
  /** Rises with everything that changes what its card says; a copy that shows less is behind. */
  card_version: number;
  reasons: Json<Reason[]>;
  args_digest: string;
  subject_id: number | null;
  subject_digest: string;
  summary: string;
  why: string | null;
  behind: Json<string[]>;
  /** What `asked_by` and `behind` come down to (`nameKey`, `namedKeys`), for the gate. */
  asked_by_key: string;
  behind_keys: Json<string[]>;
  links: Json<string[]>;
  /** What was redacted of the arguments when it was asked: that stays so. */
  redact: Json<string[]>;
  approval: JsonOrNull<ApprovalPolicy>;
  credential: JsonOrNull<CredentialSpec>;
  limits: Json<{ perHour?: number; perDay?: number; window?: 'sliding' | 'clock' }>;
  asked_at: Timestamp;
  asked_by: string;
  expires_at: Timestamp | null;
  remind_at: Timestamp | null;
  decided_at: Timestamp | null;
  deny_reason: string | null;
  execution_id: string | null;
  began_at: Timestamp | null;
  start_by: Timestamp | null;
  deadline_at: Timestamp | null;
  completed_at: Timestamp | null;
  result_digest: string | null;
  error_code: string | null;
  corrected_by: string | null;
  corrected_at: Timestamp | null;
  correction_reason: string | null;
  /** In the agent's own words, which are for no log. */
  withdraw_reason: string | null;
  /** Rises with every change of the arguments: approvals of an earlier round do not count. */
  round: number;
  /** The stage of the approval that is open. */
  stage: number;
  /** Since when people are asked in it; null: nobody is. */
  stage_opened_at: Timestamp | null;
  routed: Json<Route[]>;
  risk: Risk;
  reminders: number;
  reach: JsonOrNull<Reach>;
  standing_id: string | null;
  standing_wish: JsonOrNull<StandingWish>;
  break_glass: boolean;
  reviewed_by: string | null;
  reviewed_at: Timestamp | null;
  review: JsonOrNull<BreakGlassReview>;
  earned: boolean;
}

/**
 * A read that the policy decided is final when it is asked: one row, with its arguments until they are erased. `any_action`
 * shows it as an action among the others.
 */
export interface ReadRecordTable
  extends Pick<
    ActionTable,
    | 'id'
    | 'agent'
    | 'idempotency_key'
    | 'request_digest'
    | 'agent_version'
    | 'tool'
    | 'segment'
    | 'arm'
    | 'release'
    | 'rollout_id'
    | 'generation'
    | 'bucket'
    | 'phase'
    | 'event_day'
    | 'epoch'
    | 'grant_name'
    | 'reasons'
    | 'args_digest'
    | 'subject_id'
    | 'subject_digest'
    | 'summary'
    | 'why'
    | 'behind'
    | 'links'
    | 'redact'
    | 'risk'
    | 'asked_at'
    | 'asked_by'
  > {
  state: 'approved' | 'denied';
  args: string | null;
  context: string | null;
  attributes: string | null;
  salt: Buffer | null;
}

/** What is not over: waits, may begin, or has begun. Kept by a trigger of `action`. */
export type OpenActionTable = Pick<
  ActionTable,
  | 'id'
  | 'agent'
  | 'tool'
  | 'kind'
  | 'segment'
  | 'arm'
  | 'rollout_id'
  | 'epoch'
  | 'state'
  | 'decided_by'
  | 'asked_at'
  | 'expires_at'
  | 'deadline_at'
>;

/** A key that was asked under, and what by it. */
export interface AskedKeyTable {
  agent: string;
  key: string;
  /** Begin of the partition. */
  since: Timestamp;
  action_id: string;
  request_digest: string;
}

/** Whether somebody who may answer was reached, and how. */
export interface Reach {
  state: 'delivered' | 'queued' | 'undelivered' | 'unreached';
  /** People who can answer and were told or can see it. */
  people: string[];
  at: string;
  /** When the card is due to be posted, while it is queued. */
  postAt?: string;
  problem?: string;
}

/** Who was told in a stage of an action. */
export interface ActionReachTable {
  action_id: string;
  round: number;
  stage: number;
  person: string;
  /** When it was last found out. */
  ways: Way[];
  first_at: Timestamp;
}

/** What on-call was told of a stage of an action. */
export interface ActionAlertTable {
  action_id: string;
  round: number;
  stage: number;
  kind: string;
}

/** "Approve the like, too": goes live with the approval of the action. */
export interface StandingWish {
  envelope: string;
  maxUses: number;
  forMs: number;
  by: string;
}

export interface BreakGlassReview {
  justified: boolean;
  note: string;
}

/** What a minted credential may do: the pure description kept with the action. */
export interface CredentialSpec {
  scopes: string[];
  audience: string;
  ttlMs: number;
}

export interface ActionPrivateTable {
  action_id: string;
  args: string;
  context: string;
  /** Trusted attributes, for deciding again. */
  attributes: Generated<string>;
  salt: Buffer;
  result: string | null;
}

export interface DecisionTable {
  action_id: string;
  round: number;
  stage: number;
  person: string;
  /** Whose right it was: the person's own, or that of somebody whose deputy they are. */
  for_person: string;
  deputy_id: string | null;
  /** The slots it could fill; the one it fills is known when its stage is complete. */
  options: Json<{ slot: string; group: string }[]>;
  slot: string | null;
  grp: string | null;
  shown_at: Timestamp | null;
  verdict: 'approve' | 'deny';
  at: Timestamp;
  via: string;
  identity: string;
  seen_revision: number | null;
  seen_digest: string | null;
  reason: string | null;
}

export interface CredentialTable {
  jti: string;
  action_id: string;
  execution_id: string;
  issued_at: Timestamp;
  expires_at: Timestamp;
  revoked_at: Timestamp | null;
}
