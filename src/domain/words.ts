import type { ActionState, SupersededBecause } from './action.ts';
import type { Route } from './approval/approval.ts';
import type { StandingEndedBecause } from './approval/standing.ts';

/** What each state means to a person. */
export const STATE_WORDS: Readonly<Record<ActionState, string>> = {
  pending: 'Waiting for a decision',
  approved: 'Approved, not begun yet',
  denied: 'Denied',
  expired: 'Expired',
  withdrawn: 'Withdrawn by the agent',
  superseded: 'Void: what it was asked under no longer holds',
  disabled: 'Void: switched off',
  executing: 'Begun, no outcome yet',
  executed: 'Executed',
  failed: 'Failed',
  unknown: 'Begun, and the outcome is unknown',
};

/** What no longer holds of what an action was asked under. */
export const SUPERSEDED_WORDS: Readonly<Record<SupersededBecause, string>> = {
  rolled_back: 'the permission it was asked under was rolled back',
  new_release: 'another release is in force now',
  tightened: 'its rollout is stricter there now',
  approver_lost_standing: 'somebody who approved it may not approve it any more',
  autonomy_lost: 'its tool must ask again in this segment',
  standing_approval_ended: 'the standing approval it came under was ended',
  behind_unknown: 'it is for somebody whom nobody knows, and its release is strict about that',
};

/** The same of a code that came from somewhere else. */
export const supersededWords = (because: string | null | undefined): string =>
  because && Object.hasOwn(SUPERSEDED_WORDS, because)
    ? SUPERSEDED_WORDS[because as SupersededBecause]
    : (because ?? 'what it was asked under no longer holds');

/** Why somebody may answer who was not asked at first: "because …". */
export const ROUTED_WORDS: Readonly<Record<Route['because'], string>> = {
  unreached: 'nobody else could be reached',
  out_of_hours: 'it is out of hours for the others',
  unanswered: 'nobody answered',
};

/** Why a standing approval is over: "because …". */
export const STANDING_ENDED_WORDS: Readonly<Record<StandingEndedBecause, string>> = {
  revoked: 'it was taken back',
  spent: 'it was used up',
  expired: 'its time was over',
  switch: 'the emergency switch was thrown',
  incident: 'an incident was opened',
  rolled_back: 'the segment was rolled back',
  phase_change: 'the rollout entered another step',
  new_release: 'another release came into force',
};
