import type { Outcome } from './decision.ts';

/** The states of one action and the only ways between them (the table of one write). */
export const ACTION_STATES = [
  'pending',
  'approved',
  'denied',
  'expired',
  'withdrawn',
  'superseded',
  'disabled',
  'executing',
  'executed',
  'failed',
  'unknown',
] as const;
export type ActionState = (typeof ACTION_STATES)[number];

/** What may follow what. A state with no way out is final; `unknown` still takes a late `complete`. */
export const TRANSITIONS: Readonly<Record<ActionState, readonly ActionState[]>> = {
  pending: ['approved', 'denied', 'expired', 'withdrawn', 'superseded', 'disabled'],
  approved: ['executing', 'expired', 'withdrawn', 'superseded', 'disabled'],
  executing: ['executed', 'failed', 'unknown'],
  unknown: ['executed', 'failed'],
  denied: [],
  expired: [],
  withdrawn: [],
  superseded: [],
  disabled: [],
  executed: [],
  failed: [],
};

export const SUPERSEDED_BECAUSE = [
  'rolled_back',
  'new_release',
  'tightened',
  'approver_lost_standing',
  'autonomy_lost',
  'standing_approval_ended',
  'behind_unknown',
] as const;
export type SupersededBecause = (typeof SUPERSEDED_BECAUSE)[number];

/** What a tool calls its failure. Free text and long numbers may be anything, and reach neither the log nor a screen. */
export const isErrorCode = (text: string): boolean => /^(?!.*\d{6})[\w.:-]{1,100}$/.test(text);
export const UNNAMED_ERROR = 'tool_failed';

export const mayFollow = (from: ActionState, to: ActionState): boolean => TRANSITIONS[from].includes(to);
export const isFinal = (state: ActionState): boolean => TRANSITIONS[state].length === 0;

/** Stopped by people, by policy or by time, and not executed: a report on it says that it was right. */
export const isStopped = (state: ActionState): boolean => state === 'denied' || state === 'expired';

/** The state an action gets when it is asked. */
export const STATE_OF: Readonly<Record<Outcome, ActionState>> = {
  allowed: 'approved',
  pending: 'pending',
  denied: 'denied',
};

/** How an action ends that never began: five words for five things, never collapsed. */
export const DENIED_STATES = ['denied', 'expired', 'withdrawn', 'superseded', 'disabled'] as const;
export type DeniedState = (typeof DENIED_STATES)[number];

export const isDenied = (state: string): state is DeniedState =>
  (DENIED_STATES as readonly string[]).includes(state);

/** What the agent is told for an action in this state. What ended before it was begun is not allowed any more. */
export function outcomeOf({ state }: { state: ActionState }): Outcome {
  if (state === 'pending') return 'pending';
  return isDenied(state) ? 'denied' : 'allowed';
}
