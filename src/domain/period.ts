import { DURATION_PATTERN, durationMs } from './duration.ts';
import { INSTANT_RANGE, isInstant } from './instant.ts';

/** From when until when, without the end. */
export interface Period {
  since: Date;
  until: Date;
}

export const PERIOD_DAYS_MAX = 366;

/** Days of the period, to a tenth. */
export const daysOf = ({ since, until }: Period, dayMs: number): number =>
  Math.round(((until.getTime() - since.getTime()) / dayMs) * 10) / 10;

/**
 * A period as people write it: `since` is an instant or how long before its end (`30d`, whose days are the installation's),
 * `until` an instant, or else now.
 * @throws RangeError that says which of them is none, or that it ends before it begins, in the future or is too long
 */
export function periodOf(
  { since, until }: { since: string; until?: string | undefined },
  now: Date,
  dayMs: number,
): Period {
  const end = until === undefined ? now : instantOf('until', until);
  if (end > now) throw new RangeError(`"until" (${end.toISOString()}) is in the future`);
  const begin = DURATION_PATTERN.test(since)
    ? new Date(end.getTime() - durationMs(since, dayMs))
    : instantOf('since', since);
  if (begin >= end) throw new RangeError('the period ends before it begins: "since" lies before "until"');
  if (end.getTime() - begin.getTime() > PERIOD_DAYS_MAX * dayMs || !isInstant(begin))
    throw new RangeError(`a period is at most ${PERIOD_DAYS_MAX} days, and ${INSTANT_RANGE}`);
  return { since: begin, until: end };
}

function instantOf(name: string, text: string): Date {
  const at = new Date(/^\d{4}-\d{2}-\d{2}([T ].*)?$/.test(text) ? text : Number.NaN);
  if (Number.isNaN(at.getTime()) || !isInstant(at))
    throw new RangeError(
      `"${name}" is a duration such as 30d or an instant, not "${text}": ${INSTANT_RANGE}`,
    );
  return at;
}
