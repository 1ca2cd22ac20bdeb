import { logSumExp } from './log-sum.ts';

/** The 16 fixed bets k_j = 0.95·10^(−2+2j/15), j = 0..15 (STATISTICS 4.1). */
export const BETS: readonly number[] = Object.freeze(
  Array.from({ length: 16 }, (_, j) => 0.95 * 10 ** (-2 + (2 * j) / 15)),
);

const HALVINGS = 64;
const LOG_BET_COUNT = Math.log(BETS.length);
const LOG_DOWN: readonly number[] = BETS.map((k) => Math.log1p(-k));

/** What a rate process keeps: `events` subject-days, of which `harms` were harmful. Both are integers. */
export type BinaryCounts = { readonly events: number; readonly harms: number };

/** The counts of the subject-days that began on `day` (any integer numbering that rises with time). */
export type DayBucket = BinaryCounts & { readonly day: number };

/** One segment of a pooled rate process: its own limit and its own day buckets (STATISTICS 4.5). */
export type PooledSegment = { readonly limit: number; readonly buckets: readonly DayBucket[] };

/** A restart mixture after `days` day buckets: log S_t of each bet (STATISTICS 4.6). */
export type RestartState = { readonly days: number; readonly logs: readonly number[] };

/** The restart mixture before any day: E = 1. */
export const RESTART_START: RestartState = Object.freeze({
  days: 0,
  logs: Object.freeze(BETS.map(() => Number.NEGATIVE_INFINITY)),
});

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new RangeError(message);
}

function checkCounts({ events, harms }: BinaryCounts): void {
  const whole = Number.isSafeInteger(events) && Number.isSafeInteger(harms);
  invariant(
    whole && harms >= 0 && harms <= events,
    `Cannot weigh counts: ${harms} harms in ${events} events`,
  );
}

function checkRateLimit(limit: number): void {
  invariant(limit >= 0 && limit <= 1, `Cannot weigh a rate: its limit is ${limit}, it must be within 0..1`);
}

/** log mean_j exp(L_j): what the bets come to together (STATISTICS 4.1). */
export const logMeanExp = (logs: readonly number[]): number => logSumExp(logs) - LOG_BET_COUNT;

/** E of its logarithm, at most Number.MAX_VALUE: JSON has no infinity. */
export const eValueOf = (logE: number): number => Math.min(Math.exp(logE), Number.MAX_VALUE);

function logAdd(a: number, b: number): number {
  const top = Math.max(a, b);
  const rest = Math.min(a, b);
  return Number.isFinite(top) && rest > Number.NEGATIVE_INFINITY
    ? top + Math.log1p(Math.exp(rest - top))
    : top;
}

function logUp(limit: number): readonly number[] {
  return BETS.map((k) => Math.log1p(k * (1 / limit - 1)));
}

function addBetLogs(into: number[], { events, harms }: BinaryCounts, up: readonly number[]): void {
  for (let j = 0; j < into.length; j += 1) {
    // A limit of 0 makes `up` infinite, and 0 · Infinity is not a number.
    const won = harms === 0 ? 0 : harms * (up[j] as number);
    into[j] = (into[j] as number) + won + (events - harms) * (LOG_DOWN[j] as number);
  }
}

/** The log of each bet, L_j = s·log1p(k_j(1/m−1)) + f·log1p(−k_j) (STATISTICS 4.1). */
export function betLogs(counts: BinaryCounts, limit: number): readonly number[] {
  checkCounts(counts);
  checkRateLimit(limit);
  const logs = BETS.map(() => 0);
  addBetLogs(logs, counts, logUp(limit));
  return logs;
}

/** Cumulative log E_t(m) = log mean_j exp(L_j) of a rate against its limit m (STATISTICS 4.1). */
export function logE(counts: BinaryCounts, limit: number): number {
  return logMeanExp(betLogs(counts, limit));
}

/** log E against "the rate is at least the limit": 4.1 on Y = 1 − X with m' = 1 − m (STATISTICS 4.1). */
export function safetyLogE({ events, harms }: BinaryCounts, limit: number): number {
  checkRateLimit(limit);
  return logE({ events, harms: events - harms }, 1 - limit);
}

/** Lower confidence bound on the rate: sup{m : E_t(m) ≥ 1/alpha}, valid at every peek (STATISTICS 4.1). */
export function lowerBound(counts: BinaryCounts, alpha: number): number {
  invariant(alpha > 0 && alpha < 1, `Cannot bound a rate: alpha is ${alpha}, it must be between 0 and 1`);
  const needed = -Math.log(alpha);
  return supremum((mean) => logE(counts, mean) >= needed, 1);
}

/** sup{m in 0..most : holds(m)} of what holds up to some m and no longer; 0 where it holds nowhere. */
export function supremum(holds: (m: number) => boolean, most: number): number {
  let low = 0;
  let high = most;
  for (let i = 0; i < HALVINGS; i += 1) {
    const middle = (low + high) / 2;
    if (middle > low && holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Upper confidence bound on the rate, by the lower bound of Y = 1 − X (STATISTICS 4.1). */
export function upperBound({ events, harms }: BinaryCounts, alpha: number): number {
  return 1 - lowerBound({ events, harms: events - harms }, alpha);
}

/**
 * Goes on by one day bucket, given the sum of that day's logs per bet:
 * S_t = f_t·(S_{t−1} + g_t) with g_t = 1/(t(t+1)), in logs (STATISTICS 4.6).
 */
export function restartAfter(state: RestartState, dayLogs: readonly number[]): RestartState {
  const days = state.days + 1;
  const logStart = -Math.log(days * (days + 1));
  return { days, logs: state.logs.map((log, j) => (dayLogs[j] as number) + logAdd(log, logStart)) };
}

/** log E_t of E_t = mean_j S_t + 1 − Σ_{i≤t} g_i, where the last two make 1/(t+1) (STATISTICS 4.6). */
export function restartStateLogE({ days, logs }: RestartState): number {
  return logAdd(logMeanExp(logs), Math.log(1 / (days + 1)));
}

type LimitCounts = Map<number, { events: number; harms: number }>;

function countsByDay(segments: readonly PooledSegment[]): Map<number, LimitCounts> {
  const days = new Map<number, LimitCounts>();
  for (const { limit, buckets } of segments) {
    for (const bucket of buckets) {
      checkCounts(bucket);
      const limits = days.get(bucket.day) ?? new Map<number, { events: number; harms: number }>();
      const counts = limits.get(limit) ?? { events: 0, harms: 0 };
      limits.set(limit, { events: counts.events + bucket.events, harms: counts.harms + bucket.harms });
      days.set(bucket.day, limits);
    }
  }
  return days;
}

/** The entries of a map by rising key. */
export function rising<Value>(map: ReadonlyMap<number, Value>): (readonly [number, Value])[] {
  return [...map].sort(([a], [b]) => a - b);
}

/** What adds the bet logs of one day's counts per limit; limits in rising order, so any segment order gives the same bits. */
function dayAdder(segments: readonly PooledSegment[]): (into: number[], limits: LimitCounts) => void {
  for (const { limit } of segments) checkRateLimit(limit);
  const ups = new Map(segments.map(({ limit }) => [limit, logUp(limit)]));
  return (into, limits) => {
    for (const [limit, counts] of rising(limits)) addBetLogs(into, counts, ups.get(limit) ?? logUp(limit));
  };
}

/** Cumulative log E of all segments together, each against its own limit (STATISTICS 4.5). */
export function pooledLogE(segments: readonly PooledSegment[]): number {
  const oneDay = segments.map(({ limit, buckets }) => ({
    limit,
    buckets: buckets.map((bucket) => ({ ...bucket, day: 0 })),
  }));
  const logs = BETS.map(() => 0);
  const add = dayAdder(oneDay);
  for (const limits of countsByDay(oneDay).values()) add(logs, limits);
  return logMeanExp(logs);
}

/** log E of the restart mixture over all segments together: the trigger for harm spread thin (STATISTICS 4.5, 4.6). */
export function pooledRestartLogE(segments: readonly PooledSegment[]): number {
  let state = RESTART_START;
  for (const dayLogs of logsByDay(segments)) state = restartAfter(state, dayLogs);
  return restartStateLogE(state);
}

/** The log of each bet over each day that has a bucket, in the order of the days; all segments together. */
export function logsByDay(segments: readonly PooledSegment[]): readonly number[][] {
  const add = dayAdder(segments);
  return rising(countsByDay(segments)).map(([, limits]) => {
    const dayLogs = BETS.map(() => 0);
    add(dayLogs, limits);
    return dayLogs;
  });
}

/**
 * log E of the restart mixture of one rate process: the trigger of a rollback (STATISTICS 4.6).
 * Buckets come in any order; those of one day are added up; t counts the days that have a bucket:
 * one whose events have all left keeps its place, a day on which nothing came never had one (STATISTICS 4.2).
 */
export function restartLogE(buckets: readonly DayBucket[], limit: number): number {
  return pooledRestartLogE([{ limit, buckets }]);
}
