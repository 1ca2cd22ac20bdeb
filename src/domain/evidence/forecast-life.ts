import { type CountDay, countPrior, countRestartLogE, countRestartMost } from './count.ts';
import { betLogs, type DayBucket, RESTART_START, restartAfter, restartStateLogE } from './eprocess.ts';
import type { Process } from './facts.ts';
import type { Random } from './forecast.ts';
import { type ArmsDay, type Comparison, meanComparison, ratioComparison } from './forecast-control.ts';
import { drawEvents } from './forecast-draw.ts';

/** What is played of one guardrail in one segment; what is weighed is told in shares. */
export interface LifePlan {
  segment: string;
  /** Events a day, when all of it is exposed. */
  traffic: number;
  rate: number;
  limit: number;
  /** Harms a day that are allowed, when all of it is exposed. */
  perDay?: number;
  /** The comparison: what the release in force does, and for how many days nobody says what came of a subject. */
  control?: {
    rate: number;
    by: { ratio: number } | { more: number; cap: number; mostExposed: number };
    matureDays: number;
  };
  thresholds: Readonly<Record<Process, number>>;
}

/** A segment as it lives on, day by day, under one guardrail. */
export interface Life {
  readonly segment: string;
  readonly limit: number;
  readonly buckets: DayBucket[];
  /** What its count is of; none without a limit of harms a day. */
  readonly count: { limit: number; days: CountDay[] } | undefined;
  /** The logs of its last day, bet by bet; none where nothing came. */
  logs: readonly number[] | undefined;
  events: number;
  /** Lives through a day of which so much is exposed. The processes that take it back at its end, the rate before its companions. */
  next(day: number, exposed: number): Process[];
}

export function lifeOf(plan: LifePlan, random: Random): Life {
  const { segment, traffic, rate, limit, perDay, control, thresholds } = plan;
  const compare = control && comparisonOf(control, random);
  let state = RESTART_START;
  const life: Life = {
    segment,
    limit,
    buckets: [],
    count: perDay === undefined ? undefined : { limit: perDay, days: [] },
    logs: undefined,
    events: 0,
    next(day, exposed) {
      const counts = drawEvents(traffic * exposed, rate, random);
      life.logs = counts.events === 0 ? undefined : betLogs(counts, limit);
      life.events += counts.events;
      if (life.logs) {
        state = restartAfter(state, life.logs);
        life.buckets.push({ day, ...counts });
      }
      if (exposed > 0) life.count?.days.push({ day, time: exposed, harms: counts.harms });
      const compared = compare?.({ exposed, treated: counts, traffic });
      const fired: Process[] = [];
      if (life.logs && restartStateLogE(state) >= thresholds.rate) fired.push('rate');
      if (life.count && counts.harms > 0 && countReaches(life.count, thresholds.count)) fired.push('count');
      if (compared !== undefined && compared >= thresholds.control) fired.push('control');
      return fired;
    },
  };
  return life;
}

/** What is exact takes long to compute. */
const countReaches = ({ limit, days }: NonNullable<Life['count']>, threshold: number): boolean =>
  countRestartMost(days, limit) >= threshold && countRestartLogE(days, limit, countPrior(limit)) >= threshold;

/** Each subject-day is of a subject of its own, and enters when it is ripe; whoever comes while all is exposed does not. */
function comparisonOf(
  { rate, by, matureDays }: NonNullable<LifePlan['control']>,
  random: Random,
): (day: Pick<ArmsDay, 'exposed' | 'treated'> & { traffic: number }) => number | undefined {
  const comparison: Comparison =
    'ratio' in by ? ratioComparison(by.ratio) : meanComparison(by.more, by.cap, by.mostExposed);
  const unripe: (ArmsDay | undefined)[] = [];
  return ({ exposed, treated, traffic }) => {
    const partly = exposed > 0 && exposed < 1;
    const control = drawEvents(partly ? traffic * (1 - exposed) : 0, rate, random);
    unripe.push(partly ? { exposed, treated, control } : undefined);
    const ripe = unripe.length > matureDays ? unripe.shift() : undefined;
    return ripe && comparison(ripe);
  };
}
