/** Harms a day that one segment may have in one metric, and what that rests on. Fixed before anything was exposed. */
export interface DayLimit {
  segment: string;
  metric: string;
  /** With the whole segment exposed. Null: neither declared nor measured, and the rate has no companion there. */
  perDay: number | null;
  declared: boolean;
  /** Subject-days of the baseline on which a write that the metric counts began, and those that ran unasked. */
  writes: number;
  unasked: number;
  /** Days of the baseline. */
  days: number;
  /** Of a segment that joined when the others' were fixed: it is counted by itself alone. */
  later?: true;
}

/** What the baseline measured of one metric in one segment. */
export type Volume = Pick<DayLimit, 'segment' | 'metric' | 'writes' | 'unasked' | 'days'>;

/**
 * What is declared or, where nothing is, the rate's limit times what begins in a day of the baseline. Of the latter the
 * upper limit, about 97.5 % for a Poisson count: a short or quiet baseline is to allow too much rather than too little. What
 * the candidate begins changes nothing of it, so no number of harmless writes buys another harm.
 */
export function dayLimit(volume: Volume, limit: number | undefined, declared: number | undefined): DayLimit {
  const measured = limit !== undefined && volume.writes > 0;
  return {
    ...volume,
    perDay: declared ?? (measured ? (limit * upperCount(volume.writes)) / volume.days : null),
    declared: declared !== undefined,
  };
}

const upperCount = (count: number): number => count + 2 + 2 * Math.sqrt(count + 1);

/** How it was come by, and what to do where there is none. */
export function dayLimitText({ perDay, declared, writes, unasked, days }: DayLimit): string {
  if (perDay === null)
    return 'no limit of harms a day: no write of it began in the baseline, so harmless writes can dilute the rate. Set perDay in its guardrail and start anew';
  if (declared) return 'as the guardrail says';
  const alone = unasked > 0 ? `, ${unasked} of them unasked` : '';
  return `by the baseline: ${writes} in ${days} ${days === 1 ? 'day' : 'days'}${alone}`;
}
