import { REAL_DAY_MS } from '../duration.ts';

const BEFORE_DAYS = 2;

/**
 * When the owner is reminded next, at or after `now`: two days before the day, on it, and every day after it. Whatever became of the
 * incident.
 */
export function nextReminder(due: Date, now: Date, dayMs: number = REAL_DAY_MS): Date {
  const before = due.getTime() - BEFORE_DAYS * dayMs;
  if (now.getTime() <= before) return new Date(before);
  if (now <= due) return due;
  return new Date(due.getTime() + Math.ceil((now.getTime() - due.getTime()) / dayMs) * dayMs);
}

export interface Blocking {
  severity: string;
  state: string;
  due: Date | null;
  /** Until when somebody took it on that it does not block. */
  waivedUntil: Date | null;
}

/** Whether it keeps its agent from a start or a wider step now: high, committed to, overdue, and no waiver that still holds. */
export const blocksAt = ({ severity, state, due, waivedUntil }: Blocking, now: Date): boolean =>
  severity === 'high' &&
  (state === 'committed' || state === 'claimed') &&
  due !== null &&
  due < now &&
  (waivedUntil === null || waivedUntil <= now);
