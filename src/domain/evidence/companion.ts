import { type Fired, firing } from './alpha.ts';
import { type CountDay, type CountPrior, type CountSegment, countPrior, countRestartLogE } from './count.ts';
import { countSpreadOf, type Spread } from './spread.ts';

const WHOLE = 10_000;

/** Days of the rollout on which a segment was exposed, `toDay` included, and how much of it. */
export interface ExposedDays {
  segment: string;
  fromDay: number;
  toDay: number;
  /** Hundredths of a percent. */
  exposure: number;
}

/** What the companion of a rate, the count of harms over time, is judged by. */
export interface CountFacts {
  /** l0 of each segment that has one: harms a day that are allowed where all of it is exposed. */
  perDay: Readonly<Record<string, number>>;
  exposed: readonly ExposedDays[];
  /** Harmful subject-days by the day they began, of these segments. */
  harms: readonly { segment: string; day: number; harms: number }[];
  weight: number;
  firedBefore: boolean;
}

/** What it came to. */
export interface CountJudged extends Fired {
  /** S, T and l0·T, over all days. A day at a tenth of the exposure is a tenth of a day, and allows a tenth of the harms. */
  total: number;
  days: number;
  allowed: number;
  /** Of the formula, b in days; in time told in harms allowed for the pooled process. */
  prior: CountPrior;
  pooledLogE?: number;
  leftOut?: string;
}

/**
 * Judges the count over time: the companion of a rate that no denominator can dilute (STATISTICS 4.2). Of a day the largest
 * exposure counts, and the day counts whole: that allows more, so E errs to the safe side.
 */
export function judgeCount(
  kind: 'rate' | 'pooled',
  alpha: number,
  facts: CountFacts,
): CountFacts & CountJudged {
  const segments = Object.keys(facts.perDay)
    .sort()
    .map((segment) => segmentOf(segment, facts));
  const only = kind === 'rate' ? segments[0] : undefined;
  const prior = countPrior(only?.limit ?? 1);
  const { logE, ...spread }: Omit<Spread, 'pooledLogE'> & { pooledLogE?: number } = only
    ? { logE: countRestartLogE(only.days, only.limit, prior) }
    : countSpreadOf(segments);
  return {
    ...facts,
    total: sum(segments, ({ harms }) => harms),
    days: sum(segments, ({ time }) => time),
    allowed: sum(segments, ({ time }, limit) => limit * time),
    prior,
    ...firing(alpha, facts, logE),
    ...spread,
  };
}

function sum(segments: readonly CountSegment[], of: (day: CountDay, limit: number) => number): number {
  let total = 0;
  for (const { days, limit } of segments) for (const day of days) total += of(day, limit);
  return total;
}

/** Harm on a day of which no exposure is known counts all the same, against the whole limit. */
function segmentOf(
  segment: string,
  { perDay, exposed, harms }: CountFacts,
): CountSegment & { segment: string } {
  const days = new Map<number, CountDay>();
  for (const span of exposed) {
    if (span.segment !== segment) continue;
    for (let day = span.fromDay; day <= span.toDay; day += 1) {
      const time = Math.max(days.get(day)?.time ?? 0, span.exposure / WHOLE);
      days.set(day, { day, time, harms: 0 });
    }
  }
  for (const one of harms) {
    if (one.segment !== segment) continue;
    const day = days.get(one.day) ?? { day: one.day, time: 1, harms: 0 };
    days.set(one.day, { ...day, harms: day.harms + one.harms });
  }
  const rising = [...days.values()].sort((one, other) => one.day - other.day);
  return { segment, limit: perDay[segment] ?? 0, days: rising };
}
