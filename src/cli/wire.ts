import type { ActionView } from '../actions/action-view.ts';
import type { CutOff } from '../agents/cut-off.ts';
import type { AgentView } from '../agents/list.ts';
import type { Answered } from '../approvals/answer-input.ts';
import type { Receipt } from '../approvals/receipts/claims.ts';
import type { StandingWish } from '../db/tables-action.ts';
import type { Change } from '../domain/manifest/diff.ts';
import type { LogRecord } from '../log/read.ts';
import type { Seal } from '../log/seal.ts';
import type { AskedPerson, QueuePlace } from '../reaching/asked.ts';
import type { DisableAnswer } from '../records/stop.ts';
import type { ReleasePreview } from '../releases/create.ts';
import type { ReplayedRelease } from '../replay/replay.ts';
import type { KeptStatus } from '../retention/status.ts';
import type { Joins } from '../rollouts/join-segments.ts';
import type { PreflightView } from '../rollouts/preflight-view.ts';
import type { RolloutStatusView } from '../rollouts/status.ts';
import type { RolloutVerb, VerbAnswer } from '../rollouts/verb.ts';
import type { ApprovalStats } from '../statistics/approvals.ts';
import type { RecordedBaseline } from '../statistics/baselines.ts';
import type { BusinessFigures } from '../statistics/business.ts';
import type { PastWindow } from '../statistics/past-counts.ts';
import type { AgentPosture } from '../statistics/posture.ts';
import type { Traffic } from '../statistics/traffic.ts';
import type { EnableAnswer } from '../switches/enable.ts';

/** A view as JSON carries it: times are text. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? Wire<Item>[]
    : T extends object
      ? { [Key in keyof T]: Wire<T[Key]> }
      : T;

/** With what is known of its wait, where one action is asked for and the reader may follow it. */
export type WireAction = ActionView & {
  queue?: QueuePlace;
  asked?: AskedPerson[];
  standingWish?: StandingWish;
  deniedBefore?: { action: string; person: string; at: string; reason?: string; sameSubject: boolean }[];
};
export type WireDecided = ActionView & Pick<Answered, 'counted'>;
export type WireAsked = ActionView & { repeated: boolean; startBy?: string; credential?: WireCredential };
export type WireAgent = Wire<Omit<AgentView, 'manifest'>> & Pick<AgentView, 'manifest'>;
export type WireRollout = Wire<RolloutStatusView> & { may: RolloutVerb[] };
export type WireStarted = RolloutSummary & { notes: string[] };
export type WireTraffic = Wire<Traffic> & { baselines: Wire<RecordedBaseline>[] };
export interface WirePast {
  agent: string;
  windows: Wire<PastWindow>[];
}
export type WireDisabled = DisableAnswer;
export type WireKept = Wire<KeptStatus>;
export type WireSeal = Wire<Seal>;
export type WireEnabled = EnableAnswer & { scope: string };
export type WireVerb = VerbAnswer & { id: string; verb: string };
export type WireRelease = ReleasePreview & { version: string; created: boolean };
export type WireStats = Wire<ApprovalStats>;
export type WireBusiness = Wire<BusinessFigures>;
export type WirePreflight = Wire<PreflightView>;
export type WireReplay = Wire<ReplayedRelease>;
export interface WireReceipts {
  receipts: Receipt[];
}
export type { AgentPosture, LogRecord };

/** An approval that one person gave alone. */
export interface WireReview {
  action: WireAction;
  person: string;
  at: string;
  via: string;
  reason: string;
}

/** What became of one answer of several. */
export type WireAnswer =
  | { id: string; counted: boolean; state: WireAction['state'] }
  | { id: string; code: string; message: string };

export interface WireStandingApproval {
  id: string;
  agent: string;
  tool: string;
  segment: string;
  action: string;
  envelope: string;
  maxUses: number;
  used: number;
  startsAt: string;
  expiresAt: string;
  createdBy: string;
  endedAt?: string;
  endedBecause?: string;
  endedBy?: string;
}

export interface WireErasure {
  id: string;
  agent: string;
  state: 'done' | 'going-on';
  actions: number;
  reads: number;
  askedAt: string;
  doneAt?: string;
}

export interface WireHold {
  id: number;
  reason: string;
  heldBy: string;
  heldAt: string;
}

export interface WireRetention {
  kinds: WireKept[];
  holds: WireHold[];
  sealed?: WireSeal;
}

export interface WireDeputy {
  id: string;
  agent: string;
  from: string;
  to: string;
  group?: string;
  state: 'running' | 'coming' | 'over' | 'revoked';
  startsAt: string;
  endsAt: string;
  reason: string;
  createdBy: string;
  revokedAt?: string;
  revokedBy?: string;
}

export interface WireCredential {
  token: string;
  jti: string;
  scopes: string[];
  audience: string;
  expiresAt: string;
}

export interface WireApplied {
  revision?: number;
  changes: Change[];
  advisory: string[];
  testMode: boolean;
  cutOff?: CutOff[];
  joins?: Wire<Joins>;
}

export interface WireSwitch {
  scope: string;
  reads: boolean;
  reason: string;
  actor: string;
  changedAt: string;
  enableAskedBy?: string;
  /** Who stopped it again since. */
  later: { actor: string; reason: string; at: string; reads: boolean }[];
}

export interface RolloutSummary {
  id: string;
  agent: string;
  release: string;
  status: RolloutStatusView['status'];
  startedAt: string;
  startedBy: string;
  endedAt?: string;
  /** It is open, or it completed and its release is in force. */
  canRollBack: boolean;
}
