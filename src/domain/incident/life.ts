import { REAL_DAY_MS } from '../duration.ts';

export const INCIDENT_STATES = ['open', 'classified', 'reproduced', 'guarded', 'closed'] as const;
export type IncidentStage = (typeof INCIDENT_STATES)[number];

/** Working days until an unclassified incident is overdue. */
export const CLASSIFY_WITHIN_DAYS = 3;

/** Whether a state comes after another in the life of an incident. */
export const isAfter = (state: IncidentStage, other: IncidentStage): boolean =>
  INCIDENT_STATES.indexOf(state) > INCIDENT_STATES.indexOf(other);

/**
 * So many working days later, Saturdays and Sundays (UTC) left out. Where a day of the installation is not 24 h
 * (`dayMs`), its days have no weekdays and all of them count.
 */
export function workingDaysAfter(at: Date, days: number, dayMs: number = REAL_DAY_MS): Date {
  if (dayMs !== REAL_DAY_MS) return new Date(at.getTime() + days * dayMs);
  let due = at;
  for (let left = days; left > 0; ) {
    due = new Date(due.getTime() + REAL_DAY_MS);
    if (due.getUTCDay() !== 0 && due.getUTCDay() !== 6) left--;
  }
  return due;
}
