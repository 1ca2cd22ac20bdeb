import { groupBy } from '../group-by.ts';
import {
  type BinaryCounts,
  betLogs,
  type DayBucket,
  lowerBound,
  RESTART_START,
  restartAfter,
  restartStateLogE,
  upperBound,
} from './eprocess.ts';
import { perOf, type SumDay, sumOf } from './facts.ts';
import { bucketOf } from './sum.ts';
import { EMPTY_SUM, fromFixed, meanOf, mergeSum, type SumState, toFixed } from './sum-process.ts';

/** One day of a process as a chart shows it. */
export interface SeriesDay {
  day: number;
  events: number;
  /** Null for a sum. */
  harms: number | null;
  /** Of how many of the day's events somebody said what came of them. */
  known: number;
  /**
   * All days of the process together, this one included: harm among the events, or the mean, and its bounds, each at alpha;
   * a sum has none.
   */
  value: number | null;
  lower: number | null;
  upper: number | null;
  /** Of the trigger, the restart mixture (STATISTICS 4.6). */
  logE: number;
}

/** What one process looked like at the end of each of its days: days in any order, one bucket or several of a day. */
export function seriesOf(
  buckets: readonly (DayBucket & { known: number })[],
  limit: number,
  alpha: number,
): SeriesDay[] {
  let state = RESTART_START;
  let all: BinaryCounts = { events: 0, harms: 0 };
  return byDay(buckets).map((own): SeriesDay => {
    const counts = sumOf(own);
    all = { events: all.events + counts.events, harms: all.harms + counts.harms };
    state = restartAfter(state, betLogs(counts, limit));
    return {
      day: own[0].day,
      ...counts,
      value: all.events === 0 ? null : all.harms / all.events,
      lower: lowerBound(all, alpha),
      upper: upperBound(all, alpha),
      logE: restartStateLogE(state),
    };
  });
}

/** The same of a sum, or of a ratio. */
export function sumSeriesOf(days: readonly SumDay[]): SeriesDay[] {
  let state = RESTART_START;
  let all = EMPTY_SUM;
  let per = 0n;
  return byDay(days).map((own): SeriesDay => {
    const counts = own.map(bucketOf).reduce<SumState>(mergeSum, EMPTY_SUM);
    all = mergeSum(all, counts);
    per += perOf(own) ?? toFixed(counts.events);
    state = restartAfter(state, counts.logs.map(fromFixed));
    return {
      day: own[0].day,
      events: counts.events,
      harms: null,
      known: own.reduce((sum, { known }) => sum + known, 0),
      value: meanOf(all.total, per),
      lower: null,
      upper: null,
      logE: restartStateLogE(state),
    };
  });
}

/** Those of each day, in the order of the days. */
const byDay = <Bucket extends { day: number }>(buckets: readonly Bucket[]): [Bucket, ...Bucket[]][] =>
  [...groupBy(buckets, ({ day }) => String(day)).values()].sort(([one], [other]) => one.day - other.day);
