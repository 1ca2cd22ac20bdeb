/** How `decide()` answers. Pure types, shared by the surfaces, the store and the workflows. */
export type Outcome = 'allowed' | 'pending' | 'denied';
export type Arm = 'control' | 'candidate';

/** Why: a stable code, words for people, and what would pass. */
export interface Reason {
  code: ReasonCode;
  message: string;
  hint?: string;
}

export const REASON_CODES = [
  'switched_off',
  'unknown_tool',
  'args_invalid',
  'args_undeclared',
  'attribute_missing',
  'no_release',
  'no_grant',
  'not_in_step',
  'condition_error',
  'condition_not_met',
  'behind_unknown',
  'denied_by_grant',
  'claim_stricter',
  'denied_by_rule',
  'denied_before',
  'approval_needed',
  'granted',
  'approved_by_rule',
  'standing_approval',
  'earned',
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** What is asked of the gate. `attributes` are trusted; `claimed` comes from the agent and may only make it stricter. */
export interface DecisionRequest {
  tool: string;
  args: Readonly<Record<string, unknown>>;
  attributes: Readonly<Record<string, unknown>>;
  claimed: Readonly<Record<string, unknown>>;
  /** What the agent says it is about. */
  subject: string;
  /** `sub` of the signed assertion, where one was shown. */
  vouched?: string;
  /** The agent named more new subjects than it may: this one stays in control. */
  surplus?: boolean;
  /** Who prompted it, drives the agent or is acted for; they may not approve. */
  behind?: readonly string[];
  /** The build that asks; only it has what it earned. */
  agentVersion?: string;
}

/** Exposure in hundredths of a percent, 0..10000. */
export type BasisPoints = number;

/** Where one rollout stands in one segment, as read from the database. */
export interface SegmentExposure {
  exposure: BasisPoints;
  generation: number;
  state: 'waiting' | 'exposed' | 'rolled_back' | 'excluded';
  /** People confirm each write of the candidate there, because of its evidence. */
  asks?: boolean;
}
