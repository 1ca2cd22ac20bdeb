import { logE, restartLogE } from '../src/domain/evidence/eprocess.ts';
import { judge } from '../src/domain/evidence/guardrail.ts';
import { addValue, EMPTY_SUM } from '../src/domain/evidence/sum-process.ts';

const UPDATES = 1_000_000;
const VALUES = 200_000;
const JUDGEMENTS = 2_000;
const DAYS = 90;
const LIMIT = 0.02;
const HARM_EVERY = 50;

/** What `benchEprocess` measured, on one core. */
export type EprocessBench = {
  /** Counts of 0/1 events brought up to date; the log bets and log E computed from them after each one. */
  readonly binaryUpdatesPerSecond: number;
  /** Values added to a `sum` process: 16 logs and 16 fixed-point additions each. */
  readonly valueUpdatesPerSecond: number;
  /** Restart mixtures over 90 day buckets. */
  readonly restartsPerSecond: number;
  /** Full judgements over 90 day buckets: trigger, both bounds, events still needed. */
  readonly judgementsPerSecond: number;
};

function perSecond(times: number, run: (i: number) => number): number {
  // Warm up, and keep every result, so that nothing is optimised away.
  let kept = 0;
  for (let i = 0; i < times / 10; i += 1) kept += run(i);
  const start = performance.now();
  for (let i = 0; i < times; i += 1) kept += run(i);
  const seconds = (performance.now() - start) / 1_000;
  if (Number.isNaN(kept)) throw new Error('Cannot measure: a result is not a number');
  return times / seconds;
}

/** Measures the e-process: 10^6 binary updates with their log bets, and the dearer operations around them. */
export function benchEprocess(): EprocessBench {
  const counts = { events: 0, harms: 0 };
  const binaryUpdatesPerSecond = perSecond(UPDATES, (i) => {
    counts.events += 1;
    if (i % HARM_EVERY === 0) counts.harms += 1;
    return logE(counts, LIMIT);
  });
  let state = EMPTY_SUM;
  const valueUpdatesPerSecond = perSecond(VALUES, (i) => {
    state = addValue(state, i % 7, 3);
    return state.events;
  });
  const buckets = Array.from({ length: DAYS }, (_, day) => ({ day, events: 200 + day, harms: day % 7 }));
  const restartsPerSecond = perSecond(JUDGEMENTS, (i) => restartLogE(buckets, LIMIT + i * 1e-9));
  const mature = { events: 15_000, harms: 270, known: 15_000 };
  const judgementsPerSecond = perSecond(JUDGEMENTS, (i) => {
    const evidence = { kind: 'rate', limit: LIMIT + i * 1e-9, buckets, mature } as const;
    return judge({ evidence, alpha: 0.05, weight: 0.01, minSample: 100, dataState: 'live' }).logE;
  });
  return { binaryUpdatesPerSecond, valueUpdatesPerSecond, restartsPerSecond, judgementsPerSecond };
}
