import { REAL_DAY_MS } from './duration.ts';

const SUNDAY = 0;
const SATURDAY = 6;

/**
 * When something is due that has so many working days (Monday to Friday, UTC) from an instant on. Where a day is not 24 h
 * there is no weekend: it is so many of its days.
 */
export function workingDaysAfter(from: Date, days: number, dayMs: number): Date {
  if (dayMs !== REAL_DAY_MS) return new Date(from.getTime() + days * dayMs);
  let at = from.getTime();
  for (let left = days; left > 0; ) {
    at += REAL_DAY_MS;
    const day = new Date(at).getUTCDay();
    if (day !== SUNDAY && day !== SATURDAY) left--;
  }
  return new Date(at);
}
