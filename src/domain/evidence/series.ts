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
  const days = new Map<number, BinaryCounts & { known: number }>();
  for (const { day, events, harms, known } of buckets) {
    const sum = days.get(day) ?? { events: 0, harms: 0, known: 0 };
    days.set(day, { events: sum.events + events, harms: sum.harms + harms, known: sum.known + known });
  }
  let state = RESTART_START;
  let all: BinaryCounts = { events: 0, harms: 0 };
  return [...days]
    .sort(([one], [other]) => one - other)
    .map(([day, counts]): SeriesDay => {
      all = { events: all.events + counts.events, harms: all.harms + counts.harms };
      state = restartAfter(state, betLogs(counts, limit));
      return {
        day,
        ...counts,
        value: all.events === 0 ? null : all.harms / all.events,
        lower: lowerBound(all, alpha),
        upper: upperBound(all, alpha),
        logE: restartStateLogE(state),
      };
    });
}
