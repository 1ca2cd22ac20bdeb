import { type AlphaWeight, POOLED_SEGMENT, thresholdLogE, weightOf } from './alpha.ts';
import {
  BETS,
  type BinaryCounts,
  betLogs,
  type DayBucket,
  RESTART_START,
  type RestartState,
  restartAfter,
  restartStateLogE,
  safetyLogE,
} from './eprocess.ts';
import { MORE_NEEDED_MAX } from './guardrail.ts';
import { least } from './least.ts';
import { spreadOf } from './spread.ts';

/** Numbers from 0 to below 1, each run of a forecast from its own: the same seed gives the same forecast. */
export type Random = () => number;

/** What a forecast is made for: one rollout before its start. */
export interface ForecastPlan {
  alpha: number;
  guardrails: readonly { metric: string; limit: number; reportsOnly: boolean }[];
  shares: readonly AlphaWeight[];
  /** Each day of the plan from the first exposed one on: the part of each segment that is exposed, 0 to 1. */
  days: readonly Readonly<Record<string, number>>[];
  /** Subject-days a day of each segment and metric, when all of it is exposed. */
  traffic(segment: string, metric: string): number;
  /** Days until an event proves anything (`matureAfter`). */
  matureDays: Readonly<Record<string, number>>;
  /** The day of the plan by whose end each segment must be `ok`, from 0; none: it never must. */
  okBy: Readonly<Record<string, number | undefined>>;
}

/** What is to be tried: a metric of a segment that is harmful at this rate. */
export interface Harm {
  segment: string;
  metric: string;
  rate: number;
}

/** Whether a segment can ever be shown to be all right in the time planned. */
export interface Reach {
  segment: string;
  metric: string;
  /** Harmless ripe events that `ok` takes, if none is harmful. */
  needed: number;
  /** Ripe events by the end of the step that needs it; null: no step does. */
  expected: number | null;
  /** The day of the plan (from 1) on which there will be as many as are needed; null: not in the time planned. */
  okOnDay: number | null;
  tooThin: boolean;
  /** The part of the segment that would have to be exposed on the same days; above 1: the days do not suffice. */
  exposureNeeded: number | null;
}

/** When harm would be noticed and taken back, over all runs. */
export interface Noticed extends Harm {
  /** The part of the runs in which it was, by the end of the plan. */
  share: number;
  /** Days of exposure until then, and events: of the runs in which it was; null where it never was. */
  days: Spread | null;
  events: Spread | null;
}

/** The middle of the runs, and what nine of ten do not exceed. */
export interface Spread {
  p50: number;
  p90: number;
}

/** For each exposed segment and guardrail that acts: what `ok` takes, and whether the traffic suffices. */
export function reachOf(plan: ForecastPlan): Reach[] {
  return acting(plan).flatMap(({ metric, limit }) => {
    const needed = harmlessNeeded(limit, plan.alpha);
    return segmentsOf(plan).map((segment): Reach => {
      const full = plan.traffic(segment, metric);
      const ripe = ripeByDay(plan, segment, metric);
      const okOn = ripe.findIndex((events) => events * full >= needed);
      const by = plan.okBy[segment];
      const open = by === undefined ? 0 : (ripe[by] ?? 0);
      const expected = by === undefined ? null : open * full;
      const tooThin = okOn < 0 || (expected !== null && expected < needed);
      return {
        segment,
        metric,
        needed,
        expected,
        okOnDay: okOn < 0 ? null : okOn + 1,
        tooThin,
        exposureNeeded:
          tooThin && by !== undefined ? exposureNeeded(plan, segment, metric, by, needed) : null,
      };
    });
  });
}

/** Days of full exposure behind the ripe events, by the end of each day. */
function ripeByDay({ days, matureDays }: ForecastPlan, segment: string, metric: string): number[] {
  let sum = 0;
  const exposed = days.map((day) => {
    sum += day[segment] ?? 0;
    return sum;
  });
  const wait = Math.ceil(matureDays[metric] ?? 1);
  return days.map((_, day) => exposed[day - wait] ?? 0);
}

function exposureNeeded(
  plan: ForecastPlan,
  segment: string,
  metric: string,
  by: number,
  needed: number,
): number | null {
  const full = plan.traffic(segment, metric);
  const wait = Math.ceil(plan.matureDays[metric] ?? 1);
  const open = plan.days.slice(0, Math.max(0, by + 1 - wait)).filter((day) => (day[segment] ?? 0) > 0).length;
  return full > 0 && open > 0 ? needed / (full * open) : null;
}

/** The fewest harmless events that prove "below the limit" at alpha. */
const harmlessNeeded = (limit: number, alpha: number): number =>
  least((events) => safetyLogE({ events, harms: 0 }, limit) >= -Math.log(alpha), MORE_NEEDED_MAX);

/** Plays each harm alone: what its own process sees of it, and when it takes the segment back. */
export function noticedOf(
  plan: ForecastPlan,
  harms: readonly Harm[],
  runs: number,
  random: Random,
): Noticed[] {
  return harms.map((harm) => {
    const limit = plan.guardrails.find(({ metric }) => metric === harm.metric)?.limit ?? 1;
    const threshold = thresholdOf(plan, harm.metric, harm.segment);
    const found: { day: number; events: number }[] = [];
    for (let run = 0; run < runs; run += 1) {
      const one = playOne(plan, harm, limit, threshold, random);
      if (one) found.push(one);
    }
    const share = found.length / runs;
    const of = (value: (one: { day: number; events: number }) => number): Spread | null =>
      found.length === 0 ? null : spread(found.map(value));
    return { ...harm, share, days: of(({ day }) => day), events: of(({ events }) => events) };
  });
}

function playOne(
  plan: ForecastPlan,
  { segment, metric, rate }: Harm,
  limit: number,
  threshold: number,
  random: Random,
): { day: number; events: number } | undefined {
  let state: RestartState = RESTART_START;
  let [events, openDays] = [0, 0];
  for (const day of plan.days) {
    const counts = eventsOf(plan.traffic(segment, metric) * (day[segment] ?? 0), rate, random);
    if ((day[segment] ?? 0) > 0) openDays += 1;
    if (counts.events === 0) continue;
    events += counts.events;
    state = restartAfter(state, betLogs(counts, limit));
    if (restartStateLogE(state) >= threshold) return { day: openDays, events };
  }
  return undefined;
}

/**
 * The part of runs in which anything is taken back although nothing is wrong: every segment harmful at `part` of its
 * limit, all processes looked at each day. At the limit itself it is at most alpha (STATISTICS 4.5).
 */
export function falseStops(plan: ForecastPlan, part: number, runs: number, random: Random): number {
  let stopped = 0;
  for (let run = 0; run < runs; run += 1)
    if (acting(plan).some((guardrail) => isStopped(plan, guardrail, part, random))) stopped += 1;
  return stopped / runs;
}

function isStopped(
  plan: ForecastPlan,
  { metric, limit }: { metric: string; limit: number },
  part: number,
  random: Random,
): boolean {
  const own = segmentsOf(plan).map((segment) => ({
    segment,
    limit,
    threshold: thresholdOf(plan, metric, segment),
    state: RESTART_START,
    buckets: [] as DayBucket[],
  }));
  const pooledThreshold = thresholdOf(plan, metric, POOLED_SEGMENT);
  let pooled = RESTART_START;
  for (const [day, exposed] of plan.days.entries()) {
    const together = BETS.map(() => 0);
    for (const one of own) {
      const mean = plan.traffic(one.segment, metric) * (exposed[one.segment] ?? 0);
      const counts = eventsOf(mean, limit * part, random);
      if (counts.events === 0) continue;
      const logs = betLogs(counts, limit);
      one.state = restartAfter(one.state, logs);
      one.buckets.push({ day, ...counts });
      for (const [j, log] of logs.entries()) together[j] = (together[j] as number) + log;
      if (restartStateLogE(one.state) >= one.threshold) return true;
    }
    if (together.some((log) => log !== 0)) pooled = restartAfter(pooled, together);
    // The cap takes long to compute, and never lets fire what would not without it.
    if (restartStateLogE(pooled) >= pooledThreshold && spreadOf(own).logE >= pooledThreshold) return true;
  }
  return false;
}

const acting = ({ guardrails }: ForecastPlan) => guardrails.filter(({ reportsOnly }) => !reportsOnly);

/** Those that are ever exposed. */
const segmentsOf = ({ days }: ForecastPlan): string[] =>
  [...new Set(days.flatMap((day) => Object.keys(day).filter((name) => (day[name] ?? 0) > 0)))].sort();

const thresholdOf = ({ shares, alpha }: ForecastPlan, metric: string, segment: string): number =>
  thresholdLogE(alpha, weightOf(shares, metric, segment));

/** Events of one day, and how many of them are harmful: both kinds come at random, independently. */
function eventsOf(mean: number, rate: number, random: Random): BinaryCounts {
  const harms = poisson(mean * rate, random);
  return { events: harms + poisson(mean * (1 - rate), random), harms };
}

const NORMAL_FROM = 50;

/** Knuth's way where the mean is small; the normal approximation, rounded, where it is not. */
function poisson(mean: number, random: Random): number {
  if (mean <= 0) return 0;
  if (mean >= NORMAL_FROM) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > least; product *= random()) count += 1;
  return count;
}

function spread(values: readonly number[]): Spread {
  const rising = [...values].sort((a, b) => a - b);
  const at = (part: number): number =>
    rising[Math.min(rising.length - 1, Math.floor(part * rising.length))] ?? 0;
  return { p50: at(0.5), p90: at(0.9) };
}

/** mulberry32, by Tommy Ettinger (public domain): quick, and the same on every machine. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
