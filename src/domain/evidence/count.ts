import { logUpperGamma } from './gamma.ts';
import { logSumExp } from './log-sum.ts';

/** The gamma(a, b) prior of the count process, over harms a day; b in days. */
export interface CountPrior {
  a: number;
  b: number;
}

/** Harms in a time, where at most `limit` a day are allowed. */
export interface Count {
  harms: number;
  /** Days; a day at a tenth of the exposure is a tenth of one. */
  time: number;
  limit: number;
}

/** One day of a count process. */
export type CountDay = Pick<Count, 'harms' | 'time'> & { readonly day: number };

/** One segment of a pooled count process: its own limit and its own days. */
export interface CountSegment {
  limit: number;
  days: readonly CountDay[];
}

const SHAPE = 2;
/** The rate b of the prior where one harm a day is allowed: a mean of four times the limit before it is cut at it. */
const SCALE = 0.5;

/**
 * The prior for a limit. It is the same for every limit when time is told in harms allowed, so units do not matter. Of
 * those tried (a from ½ to 2, b from 0.03 to 1) it found 1.5 to 30 times the limit soonest, by a little.
 */
export const countPrior = (limit: number): CountPrior => ({ a: SHAPE, b: SCALE / limit });

/**
 * log E of harms over time against "at most `limit` a day, given the past" (STATISTICS 4.2):
 * a ln b − lnΓ(a, b·l0) + lnΓ(a+S, (b+T)·l0) − (a+S) ln(b+T) + l0·T − S ln l0, with S harms in T days and the limit l0.
 * It mixes the likelihood ratios (l/l0)^S·e^(−(l−l0)T) of all l ≥ l0. Each is at most 1 in the mean where harms come at l0
 * or more seldom, rises in S and falls in T: harm that becomes known late is left out on the safe side.
 */
export function countLogE({ harms, time, limit }: Count, { a, b }: CountPrior): number {
  const valid = Number.isSafeInteger(harms) && harms >= 0 && time >= 0 && Number.isFinite(time);
  if (!valid) throw new RangeError(`Cannot weigh a count: ${harms} harms in ${time} days`);
  if (!(limit > 0 && Number.isFinite(limit)))
    throw new RangeError(`Cannot weigh a count: its limit is ${limit} a day, it must be above 0`);
  if (time === 0 && harms === 0) return 0;
  const [shape, rate] = [a + harms, b + time];
  return (
    a * Math.log(b) -
    logUpperGamma(a, b * limit) +
    logUpperGamma(shape, rate * limit) -
    shape * Math.log(rate) +
    limit * time -
    harms * Math.log(limit)
  );
}

/**
 * log E of the restart mixture (STATISTICS 4.6) of a count: Σ_i g_i·E(day i to the last) + 1/(t+1), g_i = 1/(i(i+1)). That
 * is 4.6 for every l of the prior, averaged over them. What a quiet time would have to be won back for costs the weight of
 * a start at most, so idling before harm hides nothing. A day is charged whole as soon as it has begun: E errs to the safe
 * side until it is over.
 */
export const countRestartLogE = (days: readonly CountDay[], limit: number, prior: CountPrior): number =>
  restarted(days, (count) => countLogE({ ...count, limit }, prior));

/**
 * What that is at most: no mixture of likelihood ratios exceeds the largest of them, that of l = S/T. It takes no gamma
 * function, so it says quickly where there is nothing to see.
 */
export const countRestartMost = (days: readonly CountDay[], limit: number): number =>
  restarted(days, ({ harms, time }) => {
    const allowed = limit * time;
    if (harms <= allowed) return 0;
    return harms * Math.log(harms / allowed) - harms + allowed;
  });

function restarted(
  days: readonly CountDay[],
  logE: (count: Pick<Count, 'harms' | 'time'>) => number,
): number {
  const rising = [...days].sort((one, other) => one.day - other.day);
  const logs = [-Math.log(rising.length + 1)];
  let [harms, time] = [0, 0];
  for (let i = rising.length; i >= 1; i -= 1) {
    const day = rising[i - 1] as CountDay;
    harms += day.harms;
    time += day.time;
    logs.push(logE({ harms, time }) - Math.log(i * (i + 1)));
  }
  return logSumExp(logs);
}

/** Days of several segments as one: time is told in harms allowed, of which one a day is the limit (STATISTICS 4.5). */
export function pooledCountDays(segments: readonly CountSegment[]): CountDay[] {
  const days = new Map<number, CountDay>();
  for (const { limit, days: own } of segments) {
    for (const { day, harms, time } of own) {
      const sum = days.get(day) ?? { day, harms: 0, time: 0 };
      days.set(day, { day, harms: sum.harms + harms, time: sum.time + limit * time });
    }
  }
  return [...days.values()];
}

/** The same over several segments together, each against its own limit. */
export const pooledCountLogE = (segments: readonly CountSegment[]): number =>
  countRestartLogE(pooledCountDays(segments), 1, countPrior(1));
