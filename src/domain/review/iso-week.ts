import { REAL_DAY_MS } from '../duration.ts';

const WEEK_MS = 7 * REAL_DAY_MS;
const THURSDAY = 4;
const WEEK_PATTERN = /^(\d{4})-W(\d{2})$/;

/** From when until when a week is, without its end: Monday 00:00 UTC to the next. */
export interface Week {
  id: string;
  from: Date;
  to: Date;
}

/** The ISO 8601 week of an instant, in UTC: `2026-W47`. */
export function weekAt(at: Date): Week {
  const midnight = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate());
  const weekday = new Date(midnight).getUTCDay() || 7;
  const monday = midnight - (weekday - 1) * REAL_DAY_MS;
  // A week belongs to the year of its Thursday (ISO 8601, 3.1.1.21).
  const year = new Date(monday + (THURSDAY - 1) * REAL_DAY_MS).getUTCFullYear();
  const number = Math.round((monday - firstMonday(year)) / WEEK_MS) + 1;
  return {
    id: `${year}-W${String(number).padStart(2, '0')}`,
    from: new Date(monday),
    to: new Date(monday + WEEK_MS),
  };
}

/** The Monday of week 1: that of January the 4th. */
function firstMonday(year: number): number {
  const fourth = Date.UTC(year, 0, 4);
  return fourth - ((new Date(fourth).getUTCDay() || 7) - 1) * REAL_DAY_MS;
}

/** The week of an id; `undefined` for what is none, such as a week 53 of a year that has 52. */
export function weekOf(id: string): Week | undefined {
  const [, year, number] = WEEK_PATTERN.exec(id) ?? [];
  if (year === undefined || number === undefined) return undefined;
  const week = weekAt(new Date(firstMonday(Number(year)) + (Number(number) - 1) * WEEK_MS));
  return week.id === id ? week : undefined;
}

/** So many weeks before (or, below 0, after) this one. */
export const weekBefore = ({ from }: Week, weeks = 1): Week =>
  weekAt(new Date(from.getTime() - weeks * WEEK_MS));

/** The last week that is over at an instant. */
export const lastWholeWeek = (now: Date): Week => weekBefore(weekAt(now));
