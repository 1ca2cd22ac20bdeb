import { thresholdLogE } from './alpha.ts';
import { safetyLogE } from './eprocess.ts';
import { type SeriesDay, seriesOf } from './series.ts';

/** What one day of a window did. */
export interface PastDay {
  day: number;
  events: number;
  harms: number;
  known: number;
}

/** What a guardrail would have made of a window that is over. */
export interface Backtested {
  days: number;
  events: number;
  harms: number;
  /** Harm among the events; null without any. */
  share: number | null;
  /** The highest log E of its trigger, and what it would have had to reach. */
  highestLogE: number;
  thresholdLogE: number;
  /** The first day, of the window's own count, on which it would have taken back; null: on none. */
  takenBackOn: number | null;
  /** The first on which it would have been proven fine, silence counted as harm; null: on none. */
  okOn: number | null;
}

/** Plays the process of a limit over a window, day by day as it came (STATISTICS 4.6), with the weight that it would have. */
export function backtest(
  window: readonly PastDay[],
  { limit, alpha, weight }: { limit: number; alpha: number; weight: number },
): Backtested {
  const series = seriesOf(window, limit, alpha);
  const threshold = thresholdLogE(alpha, weight);
  const taken = series.find(({ logE }) => logE >= threshold);
  const { okOn, events, harms } = provenOn(series, limit, alpha);
  return {
    days: series.length,
    events,
    harms,
    share: series.at(-1)?.value ?? null,
    highestLogE: Math.max(0, ...series.map(({ logE }) => logE)),
    thresholdLogE: threshold,
    takenBackOn: taken?.day ?? null,
    okOn,
  };
}

function provenOn(series: readonly SeriesDay[], limit: number, alpha: number) {
  let [events, harms, silent] = [0, 0, 0];
  let okOn: number | null = null;
  for (const day of series) {
    events += day.events;
    harms += day.harms ?? 0;
    silent += day.events - day.known;
    const withSilence = { events, harms: Math.min(events, harms + silent) };
    if (okOn === null && safetyLogE(withSilence, limit) >= -Math.log(alpha)) okOn = day.day;
  }
  return { okOn, events, harms };
}
