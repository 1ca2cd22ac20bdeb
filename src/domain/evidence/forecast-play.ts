import { groupBy } from '../group-by.ts';
import { POOLED_SEGMENT } from './alpha.ts';
import { type CountDay, countRestartMost, pooledCountDays } from './count.ts';
import { BETS, RESTART_START, restartAfter, restartStateLogE } from './eprocess.ts';
import type { Process } from './facts.ts';
import {
  acting,
  controlIn,
  type ForecastGuardrail,
  type ForecastPlan,
  limitIn,
  type Random,
  segmentsOf,
  thresholdsOf,
  weighedAs,
} from './forecast.ts';
import { type Life, type LifePlan, lifeOf } from './forecast-life.ts';
import { countSpreadOf, spreadOf } from './spread.ts';

/** What is to be tried: a metric of a segment that is harmful at this rate, or of a sum or a ratio comes to this in the mean. */
export type Harm = {
  segment: string;
  metric: string;
  /** What the release in force does at the same time, told alike; where it is compared. Default: what its baseline does, or half of the limit. */
  control?: number;
} & ({ rate: number } | { mean: number });

/** The level of a harm, whatever it is told in. */
export const levelOf = (harm: Harm): number => ('rate' in harm ? harm.rate : harm.mean);

/** When harm would be noticed and taken back, over all runs. */
export type Noticed = Harm & {
  /** The part of the runs in which it was, by the end of the plan. */
  share: number;
  /** The same by what noticed it first; of two on one day the rate, then the count. */
  by: Partial<Record<Process, number>>;
  /** Days of exposure until then, and events: of the runs in which it was; null where it never was. */
  days: Spread | null;
  events: Spread | null;
};

/** The middle of the runs, and what nine of ten do not exceed. */
export interface Spread {
  p50: number;
  p90: number;
}

/** Plays each harm alone: what its own processes see of it, and when the first of them takes the segment back. */
export function noticedOf(
  plan: ForecastPlan,
  harms: readonly Harm[],
  runs: number,
  random: Random,
): Noticed[] {
  return harms.map((harm) => {
    const guardrail = plan.guardrails.find(({ metric }) => metric === harm.metric);
    if (guardrail === undefined) throw new RangeError(`No guardrail is on "${harm.metric}"`);
    const control = harm.control ?? controlIn(guardrail, harm.segment);
    const life = lifePlan(plan, guardrail, harm.segment, { candidate: levelOf(harm), control });
    if (life === undefined) throw new RangeError(`"${harm.metric}" has no limit in "${harm.segment}"`);
    const found = Array.from({ length: runs }, () => playOne(plan, life, random)).filter(
      (one) => one !== undefined,
    );
    const of = (value: (one: Found) => number): Spread | null =>
      found.length === 0 ? null : spread(found.map(value));
    return {
      ...harm,
      share: found.length / runs,
      by: Object.fromEntries(
        [...groupBy(found, ({ by }) => by)].map(([process, own]) => [process, own.length / runs]),
      ),
      days: of(({ day }) => day),
      events: of(({ events }) => events),
    };
  });
}

interface Found {
  day: number;
  events: number;
  by: Process;
}

function playOne({ days }: ForecastPlan, plan: LifePlan, random: Random): Found | undefined {
  const life = lifeOf(plan, random);
  let openDays = 0;
  for (const [day, exposure] of days.entries()) {
    const exposed = exposure[plan.segment] ?? 0;
    if (exposed > 0) openDays += 1;
    const [by] = life.next(day, exposed);
    if (by) return { day: openDays, events: life.events, by };
  }
  return undefined;
}

/** What the processes of a guardrail are given in a segment where the two releases do so much; none without a limit. */
function lifePlan(
  plan: ForecastPlan,
  guardrail: ForecastGuardrail,
  segment: string,
  level: Record<'candidate' | 'control', number>,
): LifePlan | undefined {
  const { metric, perDay, control, values } = guardrail;
  const limit = limitIn(guardrail, segment);
  if (limit === null) return undefined;
  const own = perDay?.[segment];
  return {
    segment,
    traffic: plan.traffic(segment, metric),
    ...weighedAs(values, limit, level.candidate),
    thresholds: thresholdsOf(plan, metric, segment),
    ...(own !== undefined && { perDay: own }),
    ...(control && {
      control: {
        rate: weighedAs(values, limit, level.control).rate,
        matureDays: Math.ceil(plan.matureDays[metric] ?? 1),
        by:
          'ratio' in control
            ? control
            : { ...control, cap: values?.cap ?? 0, mostExposed: mostExposed(plan, segment) },
      },
    }),
  };
}

/** Short of all. */
const mostExposed = ({ days }: ForecastPlan, segment: string): number =>
  Math.max(0, ...days.map((day) => day[segment] ?? 0).filter((part) => part < 1));

/**
 * The part of runs in which anything is taken back although nothing is wrong: every segment harmful at `part` of what it may
 * be, the release in force as well, all processes looked at each day. At the limit itself it is at most alpha (STATISTICS 4.5).
 */
export function falseStops(plan: ForecastPlan, part: number, runs: number, random: Random): number {
  let stopped = 0;
  for (let run = 0; run < runs; run += 1)
    if (acting(plan).some((guardrail) => isStopped(plan, guardrail, part, random))) stopped += 1;
  return stopped / runs;
}

function isStopped(plan: ForecastPlan, guardrail: ForecastGuardrail, part: number, random: Random): boolean {
  const lives = segmentsOf(plan).flatMap((segment) => {
    const level = healthyAt(plan, guardrail, segment) * part;
    const life = lifePlan(plan, guardrail, segment, { candidate: level, control: level });
    return life ? [lifeOf(life, random)] : [];
  });
  const isSpread = pooledOver(lives, thresholdsOf(plan, guardrail.metric, POOLED_SEGMENT));
  return plan.days.some(
    (exposed, day) =>
      lives.some((life) => life.next(day, exposed[life.segment] ?? 0).length > 0) || isSpread(day),
  );
}

/** The most that breaks neither its limit nor, by what comes in a day, its harms a day. */
function healthyAt(plan: ForecastPlan, guardrail: ForecastGuardrail, segment: string): number {
  const { metric, perDay } = guardrail;
  const limit = limitIn(guardrail, segment) ?? 0;
  const allowed = perDay?.[segment];
  const full = plan.traffic(segment, metric);
  return allowed === undefined || full === 0 ? limit : Math.min(limit, allowed / full);
}

/** Whether all together are taken back at the end of a day that each has lived through. */
function pooledOver(
  lives: readonly Life[],
  thresholds: Readonly<Record<Process, number>>,
): (day: number) => boolean {
  const counted = lives.flatMap(({ segment, count }) => (count ? [{ segment, ...count }] : []));
  const pooled: CountDay[] = [];
  let state = RESTART_START;
  return (day) => {
    const logs = lives.flatMap((life) => (life.logs ? [life.logs] : []));
    if (logs.length > 0)
      state = restartAfter(
        state,
        BETS.map((_, j) => logs.reduce((sum, own) => sum + (own[j] ?? 0), 0)),
      );
    const today = counted.map(({ limit, days }) => ({ limit, days: days.filter((one) => one.day === day) }));
    pooled.push(...pooledCountDays(today));
    // What is exact takes long to compute, and never lets fire what would not without it.
    if (restartStateLogE(state) >= thresholds.rate && spreadOf(lives).logE >= thresholds.rate) return true;
    return (
      counted.length > 1 &&
      countRestartMost(pooled, 1) >= thresholds.count &&
      countSpreadOf(counted).logE >= thresholds.count
    );
  };
}

function spread(values: readonly number[]): Spread {
  const rising = [...values].sort((a, b) => a - b);
  const at = (part: number): number =>
    rising[Math.min(rising.length - 1, Math.floor(part * rising.length))] ?? 0;
  return { p50: at(0.5), p90: at(0.9) };
}
