import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { betLogs, RESTART_START, restartAfter, restartStateLogE } from '../src/domain/evidence/eprocess.ts';
import { randomFrom } from '../src/domain/evidence/forecast.ts';

const SEED = 20_261_121;
const DAYS = 90;
const LIMIT = 0.02;
const SIZES = [1_000_000, 10_000_000, 100_000_000];
const MB = 1_048_576;

/**
 * What the evidence of one segment and guardrail holds after so many simulated events over 90 days: a bucket a day and the
 * state of the process, whatever came in.
 */
export function benchMemory(say: (line?: string) => void): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  say('\nMemory of the evidence, 90 days of simulated events, after a collection');
  collect();
  const start = process.memoryUsage().heapUsed;
  for (const events of SIZES) {
    const began = performance.now();
    const kept = play(events);
    collect();
    const more = (process.memoryUsage().heapUsed - start) / MB;
    const took = (performance.now() - began) / 1_000;
    const what = `  ${events / 1_000_000} million events`.padEnd(54);
    say(`${what}${more.toFixed(2)} MB more, ${kept.buckets.length} buckets, ${took.toFixed(1)} s`);
  }
}

function play(events: number) {
  const random = randomFrom(SEED);
  const buckets: { day: number; events: number; harms: number }[] = [];
  let past = RESTART_START;
  for (let day = 0; day < DAYS; day += 1) {
    const bucket = { day, events: 0, harms: 0 };
    const until = Math.floor((events * (day + 1)) / DAYS) - Math.floor((events * day) / DAYS);
    while (bucket.events < until) {
      bucket.events += 1;
      if (random() < LIMIT / 2) bucket.harms += 1;
    }
    buckets.push(bucket);
    past = restartAfter(past, betLogs(bucket, LIMIT));
  }
  return { buckets, logE: restartStateLogE(past) };
}
