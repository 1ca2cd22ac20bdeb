import type { Grant } from '../release.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** As `reserve_limits()` counts: a period, and the slice in which it slides. */
const PERIODS = [
  { name: 'perHour', length: HOUR_MS, slice: MINUTE_MS },
  { name: 'perDay', length: 24 * HOUR_MS, slice: 15 * MINUTE_MS },
] as const;

/** One begin under a grant, in milliseconds since the sequence began. */
export interface LimitUse {
  grant: string;
  at: number;
}

/**
 * Whether one more begin fits: a sliding period is counted in slices, and one that is partly over counts whole; of the
 * clock it is an hour or day from the beginning of the sequence on.
 */
export function hasRoom(
  limits: Grant['limits'],
  { grant, at }: LimitUse,
  uses: readonly LimitUse[],
): boolean {
  return PERIODS.every(({ name, length, slice }) => {
    const most = limits[name];
    if (most === undefined) return true;
    const from = limits.window === 'clock' ? at - (at % length) : at - length - slice + 1;
    const used = uses.filter(
      (use) => use.grant === grant && binOf(use.at, limits.window === 'clock' ? length : slice) >= from,
    );
    return used.length < most;
  });
}

const binOf = (at: number, width: number): number => at - (at % width);
