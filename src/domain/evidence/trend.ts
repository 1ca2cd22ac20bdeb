import { groupBy } from '../group-by.ts';
import type { BinaryCounts } from './eprocess.ts';

/** As far back as a trend looks. */
export const TREND_DAYS = 7;

export type TrendDay = BinaryCounts & { day: number };

/** What a metric did lately, beside the same weekdays before the release. For people: nothing is judged by it. */
export interface Trend extends BinaryCounts {
  fromDay: number;
  toDay: number;
  /**
   * Harm among the events of those weekdays that have a before, had each kept its rate; and so many events they are. So a week
   * with more Mondays than weeks have is no trend.
   */
  expected: number;
  compared: number;
}

/**
 * The last days up to `today` of the candidate, beside the days of the release in force before the first of them; `weekdayOf`
 * says which day of the week a day is. `undefined`: nothing happened lately, or nothing before on any such weekday.
 */
export function trendOf(
  candidate: readonly TrendDay[],
  control: readonly TrendDay[],
  today: number,
  weekdayOf: (day: number) => number,
): Trend | undefined {
  const first = Math.min(...candidate.filter(({ events }) => events > 0).map(({ day }) => day));
  const lately = candidate.filter(
    ({ day, events }) => day > today - TREND_DAYS && day <= today && events > 0,
  );
  const weekday = ({ day }: TrendDay) => String(weekdayOf(day));
  const before = groupBy(
    control.filter(({ day, events }) => day < first && events > 0),
    weekday,
  );
  const beside = [...groupBy(lately, weekday)].flatMap(([name, days]) => {
    const past = before.get(name);
    return past === undefined ? [] : { now: sumOf(days), past: sumOf(past) };
  });
  if (beside.length === 0) return undefined;
  return {
    fromDay: Math.min(...lately.map(({ day }) => day)),
    toDay: today,
    ...sumOf(lately),
    expected: beside.reduce((sum, { now, past }) => sum + (now.events * past.harms) / past.events, 0),
    compared: beside.reduce((sum, { now }) => sum + now.events, 0),
  };
}

const sumOf = (days: readonly TrendDay[]): BinaryCounts => ({
  events: days.reduce((sum, { events }) => sum + events, 0),
  harms: days.reduce((sum, { harms }) => sum + harms, 0),
});
