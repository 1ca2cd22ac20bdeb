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
import { sumOf } from './facts.ts';

/** One day of a process as a chart shows it. */
export interface SeriesDay extends DayBucket {
  /** Of how many of the day's events somebody said what came of them. */
  known: number;
  /** All days of the process together, this one included: harm among the events, and its bounds, each at alpha. */
  value: number | null;
  lower: number;
  upper: number;
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
  return [...groupBy(buckets, ({ day }) => String(day)).values()]
    .sort(([one], [other]) => one.day - other.day)
    .map((own): SeriesDay => {
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
