import type { Reach, StandingWish } from '../../db/tables-action.ts';
import type { ActionState } from '../../domain/action.ts';
import type { Way } from '../../domain/approval/reach.ts';
import { REAL_DAY_MS, spanWords } from '../../domain/duration.ts';
import { STATE_WORDS } from '../../domain/words.ts';

/** What the state of one action means: nobody decided in time, and decided but not begun, are two things. */
export const stateWords = ({ state, decidedAt }: { state: ActionState; decidedAt?: string }): string =>
  state === 'expired'
    ? `Expired: ${decidedAt ? 'approved, but not begun in time' : 'nobody decided in time'}`
    : STATE_WORDS[state];

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
  return `${minuteText(at)} UTC (${relative})`;
}

/** `2026-01-01 09:30`, in UTC. */
export const minuteText = (at: Date): string => at.toISOString().slice(0, 16).replace('T', ' ');

/** "5 times at most, for 60 min, as ana wished". */
export const wishBounds = ({ maxUses, forMs, by }: StandingWish): string =>
  `${maxUses === 1 ? 'once' : `${maxUses} times`} at most, for ${spanWords(forMs)}, as ${by} wished`;

/** What every page says when a day is not a day. */
export const dayNotice = (dayMs: number): string | undefined =>
  dayMs === REAL_DAY_MS ? undefined : `1 day = ${spanWords(dayMs)}: durations in days are scaled here`;
