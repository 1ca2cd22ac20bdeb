import type { Reach, StandingWish } from '../../db/tables-action.ts';
import type { StandingEndedBecause } from '../../db/tables-approvals.ts';
import type { ActionState } from '../../domain/action.ts';
import type { AskedPerson } from '../../reaching/asked.ts';
import type { Way } from '../../reaching/stage-log.ts';

const REAL_DAY_MS = 86_400_000;

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

/** The same of one action: nobody decided in time, and decided but not begun, are two things. */
export const stateWords = ({ state, decidedAt }: { state: ActionState; decidedAt?: string }): string =>
  state === 'expired'
    ? `Expired: ${decidedAt ? 'approved, but not begun in time' : 'nobody decided in time'}`
    : STATE_WORDS[state];

export const SUPERSEDED_WORDS: Readonly<Record<string, string>> = {
  rolled_back: 'the permission was rolled back',
  new_release: 'another release came in force',
  approver_lost_standing: 'an approver is no longer in the group',
  autonomy_lost: 'the evidence no longer carries it without asking',
  standing_approval_ended: 'the standing approval it used was taken back',
};

/** Whether somebody who may answer knows of it. */
export const REACH_WORDS: Readonly<Record<Reach['state'], string>> = {
  delivered: 'Told',
  queued: 'Waits to be told',
  undelivered: 'NOBODY could be told',
  unreached: 'NOBODY who may answer could be reached',
};

/** How somebody knows of it. */
export const WAY_WORDS: Readonly<Record<Way, string>> = {
  channel: 'in the channel',
  dm: 'by direct message',
  digest: 'in the digest',
  page: 'on these pages',
};

/** Why somebody may answer who was not asked at first. */
export const ROUTED_WORDS: Readonly<Record<AskedPerson['because'], string | undefined>> = {
  asked: undefined,
  unreached: 'because nobody else could be reached',
  out_of_hours: 'because it is out of hours for the others',
  unanswered: 'because nobody answered',
};

/** Why a standing approval is over. */
export const STANDING_ENDED_WORDS: Readonly<Record<StandingEndedBecause, string>> = {
  revoked: 'it was taken back',
  spent: 'it was used up',
  expired: 'its time was over',
  switch: 'the switch was thrown',
  incident: 'an incident was opened',
  rolled_back: 'the permission was rolled back',
  phase_change: 'the rollout entered another step',
  new_release: 'another release came in force',
};

export const REVERSIBILITY_WORDS: Readonly<Record<string, string>> = {
  reversible: 'Reversible: it can be undone',
  compensable: 'Compensable: it cannot be undone, but made good',
  irreversible: 'Irreversible: it cannot be undone',
};

/** `2026-01-01 09:30 UTC (in 12 min)`. */
export function timeWords(iso: string, now: Date): string {
  const at = new Date(iso);
  const distance = spanWords(Math.abs(at.getTime() - now.getTime()));
  const relative = at > now ? `in ${distance}` : `${distance} ago`;
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC (${relative})`;
}

/** `12 min`, at least one unit of what matters at that size. */
export function spanWords(ms: number): string {
  if (ms < 10_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / REAL_DAY_MS)} days`;
}

/** "5 times at most, for 60 min, as ana wished". */
export const wishBounds = ({ maxUses, forMs, by }: StandingWish): string =>
  `${maxUses === 1 ? 'once' : `${maxUses} times`} at most, for ${spanWords(forMs)}, as ${by} wished`;

/** What every page says when a day is not a day. */
export const dayNotice = (dayMs: number): string | undefined =>
  dayMs === REAL_DAY_MS ? undefined : `1 day = ${spanWords(dayMs)}: durations in days are scaled here`;
