import {
  BETS,
  invariant,
  logMeanExp,
  RESTART_START,
  restartAfter,
  restartStateLogE,
  rising,
} from './eprocess.ts';

/** The largest value that a `sum` process accepts; keeps fixed-point totals exact. */
export const VALUE_MAX = 1e15;

const FIXED_ONE = 2 ** 32;
/** What a `sum` process keeps, in fixed point 2^-32 rounded down: the total of x and one log per bet. */
export type SumState = { readonly events: number; readonly total: bigint; readonly logs: readonly bigint[] };

/** The `sum` state of the subject-days that began on `day`. */
export type SumBucket = SumState & { readonly day: number };

/** A `SumState` as JSON: bigints become decimal strings. */
export type SumJson = { readonly events: number; readonly total: string; readonly logs: readonly string[] };

/** The state before any value: E = 1. */
export const EMPTY_SUM: SumState = Object.freeze({
  events: 0,
  total: 0n,
  logs: Object.freeze(BETS.map(() => 0n)),
});

function fixed(x: number): bigint {
  return BigInt(Math.floor(x * FIXED_ONE));
}

/** A total against what it is set against, both in fixed point; against events of 1 it is their mean. Null against nothing. */
export const meanOf = (total: bigint, against: bigint): number | null =>
  against === 0n ? null : fromFixed(total) / fromFixed(against);

/** So many whole ones in fixed point. */
export const toFixed = (count: number): bigint => BigInt(count) * BigInt(FIXED_ONE);

/** A fixed-point total or log as a number. */
export function fromFixed(value: bigint): number {
  return Number(value) / FIXED_ONE;
}

function valueLogs(x: number, limit: number): readonly bigint[] {
  invariant(x >= 0 && x <= VALUE_MAX, `Cannot add a value: it is ${x}, it must be within 0..${VALUE_MAX}`);
  invariant(
    limit > 0 && Number.isFinite(limit),
    `Cannot add a value: the limit is ${limit}, it must be above 0`,
  );
  const excess = Math.min(x / limit, Number.MAX_VALUE) - 1;
  return BETS.map((k) => fixed(Math.log1p(k * excess)));
}

/** Adds one value x ≥ 0: L_j += log1p(k_j(x/m − 1)), rounded down to 2^-32 (STATISTICS 4.1 and its last section). */
export function addValue<State extends SumState>(state: State, x: number, limit: number): State {
  const added = valueLogs(x, limit);
  const logs = state.logs.map((log, j) => log + (added[j] as bigint));
  return { ...state, events: state.events + 1, total: state.total + fixed(x), logs };
}

/** Replaces a value already added by a larger one; a smaller or equal one changes nothing (STATISTICS 4.2). */
export function amendValue<State extends SumState>(
  state: State,
  from: number,
  to: number,
  limit: number,
): State {
  const [before, after] = [valueLogs(from, limit), valueLogs(to, limit)];
  if (to <= from) return state;
  const logs = state.logs.map((log, j) => log - (before[j] as bigint) + (after[j] as bigint));
  return { ...state, total: state.total - fixed(from) + fixed(to), logs };
}

/** Joins two shards of one `sum` process: the sums add, exactly and in any order (STATISTICS 4.1). */
export function mergeSum(a: SumState, b: SumState): SumState {
  const logs = a.logs.map((log, j) => log + (b.logs[j] as bigint));
  return { events: a.events + b.events, total: a.total + b.total, logs };
}

/** Cumulative log E of a `sum` process against the limit that its values were added with (STATISTICS 4.1). */
export function sumLogE(state: SumState): number {
  return logMeanExp(state.logs.map(fromFixed));
}

/** The state as JSON, without loss. */
export function encodeSum(state: SumState): SumJson {
  return { events: state.events, total: String(state.total), logs: state.logs.map(String) };
}

/** The state that `encodeSum` wrote; refuses another number of bets. */
export function decodeSum(json: SumJson): SumState {
  const { events, logs } = json;
  invariant(logs.length === BETS.length, `Cannot read a sum state: ${logs.length} logs, not ${BETS.length}`);
  invariant(Number.isSafeInteger(events) && events >= 0, `Cannot read a sum state: ${events} events`);
  return { events, total: BigInt(json.total), logs: logs.map(BigInt) };
}

/**
 * log E of the restart mixture of a `sum` process (STATISTICS 4.6). The limits are inside the logs,
 * so the buckets of several segments, concatenated, give the pooled process of 4.5.
 */
export function restartSumLogE(buckets: readonly SumBucket[]): number {
  let state = RESTART_START;
  for (const dayLogs of sumLogsByDay(buckets)) state = restartAfter(state, dayLogs);
  return restartStateLogE(state);
}

/** The log of each bet over each day of a `sum` process, in the order of the days. */
export function sumLogsByDay(buckets: readonly SumBucket[]): readonly number[][] {
  const days = new Map<number, SumState>();
  for (const bucket of buckets) days.set(bucket.day, mergeSum(days.get(bucket.day) ?? EMPTY_SUM, bucket));
  return rising(days).map(([, day]) => day.logs.map(fromFixed));
}
