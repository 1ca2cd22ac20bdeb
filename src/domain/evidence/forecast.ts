import type { Guardrail } from '../rollout-plan.ts';
import { type AlphaWeight, thresholdLogE } from './alpha.ts';
import { betLogs, logMeanExp, safetyLogE } from './eprocess.ts';
import type { Process } from './facts.ts';
import type { ForecastBaseline } from './forecast-baseline.ts';
import { asShares, type Values } from './forecast-values.ts';
import { MORE_NEEDED_MAX } from './guardrail.ts';
import { least } from './least.ts';

/** Numbers from 0 to below 1, each run of a forecast from its own: the same seed gives the same forecast. */
export type Random = () => number;

/** One guardrail, and what goes with it. */
export interface ForecastGuardrail {
  metric: string;
  /** Harm among its events; of a sum or a ratio what it may come to, in its own unit. Null: it comes with the baseline. */
  limit: number | null;
  /** What it is played with in each segment then. */
  baseline?: Readonly<Record<string, ForecastBaseline>>;
  reportsOnly: boolean;
  /** Whatever is inconclusive passes: no step waits until it is `ok`. */
  passes?: boolean;
  /** Of a sum or a ratio. */
  values?: Values;
  /** Its companion: harms a day that each segment may have when all of it is exposed; one that is not named has no count. */
  perDay?: Readonly<Record<string, number>>;
  /** Its comparison with the release in force. */
  control?: NonNullable<Guardrail['control']>;
}

/** The part of alpha of a process, and of what goes with it. */
export type ForecastShare = AlphaWeight & Partial<Record<Exclude<Process, 'rate'>, number>>;

/** What a forecast is made for: one rollout before its start. */
export interface ForecastPlan {
  alpha: number;
  guardrails: readonly ForecastGuardrail[];
  shares: readonly ForecastShare[];
  /** Each day of the plan from the first exposed one on: the part of each segment that is exposed, 0 to 1. */
  days: readonly Readonly<Record<string, number>>[];
  /** Subject-days a day of each segment and metric, when all of it is exposed. */
  traffic(segment: string, metric: string): number;
  /** Days until an event proves anything (`matureAfter`). */
  matureDays: Readonly<Record<string, number>>;
  /** The day of the plan by whose end each segment must be `ok`, from 0; none: it never must. */
  okBy: Readonly<Record<string, number | undefined>>;
}

/** Whether a segment can ever be shown to be all right in the time planned. */
export interface Reach {
  segment: string;
  metric: string;
  /** Harm that it may do; null: its baseline gives no limit, so nothing is taken back by it, and it is never `ok`. */
  limit: number | null;
  /** Ripe events that `ok` takes, if none is harmful or comes to anything; null: no limit, or nothing bounds its values. */
  needed: number | null;
  /** The same with harm, or a mean, at half of the limit. */
  neededAtHalf: number | null;
  /** Ripe events by the end of the step that needs it; null: no step does. */
  expected: number | null;
  /** The day of the plan (from 1) on which there will be as many as are needed; null: not in the time planned. */
  okOnDay: number | null;
  tooThin: boolean;
  /** The part of the segment that would have to be exposed on the same days; above 1: the days do not suffice. */
  exposureNeeded: number | null;
}

/** For each exposed segment and guardrail that acts: what `ok` takes, and whether the traffic suffices. */
export function reachOf(plan: ForecastPlan): Reach[] {
  return acting(plan).flatMap((guardrail) => {
    const { metric, passes } = guardrail;
    return segmentsOf(plan).map((segment): Reach => {
      const limit = limitIn(guardrail, segment);
      const { needed, neededAtHalf } = neededOf(guardrail, limit, plan.alpha);
      const full = plan.traffic(segment, metric);
      const ripe = ripeByDay(plan, segment, metric);
      const okOn = needed === null ? -1 : ripe.findIndex((events) => events * full >= needed);
      const by = passes ? undefined : plan.okBy[segment];
      const open = by === undefined ? 0 : (ripe[by] ?? 0);
      const expected = by === undefined ? null : open * full;
      const tooThin = needed === null ? limit === null : okOn < 0 || (expected !== null && expected < needed);
      return {
        segment,
        metric,
        limit,
        needed,
        neededAtHalf,
        expected,
        okOnDay: okOn < 0 ? null : okOn + 1,
        tooThin,
        exposureNeeded:
          tooThin && needed !== null && by !== undefined
            ? exposureNeeded(plan, segment, metric, by, needed)
            : null,
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

/** The fewest events that prove "below the limit" at alpha. */
function neededOf(
  { values }: ForecastGuardrail,
  told: number | null,
  alpha: number,
): Pick<Reach, 'needed' | 'neededAtHalf'> {
  if (told === null || (values && values.cap === undefined)) return { needed: null, neededAtHalf: null };
  const { rate, limit } = weighedAs(values, told, told * HALF);
  const proof = -Math.log(alpha);
  const harmless = betLogs({ events: 1, harms: 1 }, 1 - limit);
  const harmful = betLogs({ events: 1, harms: 0 }, 1 - limit);
  // In the mean of what may come; convex in the events, and 0 without any, so what suffices once goes on to.
  const usual = harmless.map((log, j) => log * (1 - rate) + (harmful[j] ?? 0) * rate);
  return {
    needed: least((events) => safetyLogE({ events, harms: 0 }, limit) >= proof, MORE_NEEDED_MAX),
    neededAtHalf: least((events) => logMeanExp(usual.map((log) => log * events)) >= proof, MORE_NEEDED_MAX),
  };
}

/** What a healthy release is played at beside its limit, and what the release in force is supposed to do, of the limit. */
export const HALF = 0.5;

/** A level of harm and the limit as the process weighs them: of a sum or a ratio the shares of two values. */
export const weighedAs = (
  values: Values | undefined,
  limit: number,
  level: number,
): { rate: number; limit: number } => (values ? asShares(values, limit, level) : { rate: level, limit });

/** What is let pass in a segment; null: its baseline gives no limit. */
export const limitIn = (
  { limit, baseline }: Pick<ForecastGuardrail, 'limit' | 'baseline'>,
  segment: string,
): number | null => limit ?? baseline?.[segment]?.limit ?? null;

/** What the release in force is supposed to do there. */
export const controlIn = ({ limit, baseline }: ForecastGuardrail, segment: string): number =>
  baseline?.[segment]?.level ?? (limit ?? 0) * HALF;

export const acting = ({ guardrails }: ForecastPlan): ForecastGuardrail[] =>
  guardrails.filter(({ reportsOnly }) => !reportsOnly);

/** Those that are ever exposed. */
export const segmentsOf = ({ days }: ForecastPlan): string[] =>
  [...new Set(days.flatMap((day) => Object.keys(day).filter((name) => (day[name] ?? 0) > 0)))].sort();

/** What each process of a guardrail must reach in a segment; a process that it has not never does. */
export function thresholdsOf(
  { shares, alpha }: ForecastPlan,
  metric: string,
  segment: string,
): Record<Process, number> {
  const share = shares.find((one) => one.guardrail === metric && one.segment === segment);
  return {
    rate: thresholdLogE(alpha, share?.weight ?? 0),
    count: thresholdLogE(alpha, share?.count ?? 0),
    control: thresholdLogE(alpha, share?.control ?? 0),
  };
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
