import { BETS, type DayBucket, logMeanExp, logsByDay } from './eprocess.ts';
import { type SumBucket, sumLogsByDay } from './sum-process.ts';

/** Days of a segment within its limit that pass, on average and at least, until its first false notice. */
export const DRIFT_DAYS = 1_000;

/**
 * log of the e-CUSUM C_t = f_t·max(C_{t−1}, 1) after the last day, f the product of a day's factors, averaged over the bets
 * (STATISTICS 4.6; Shin, Ramdas and Rinaldo, "E-detectors"). It forgets what good days cost, so it sees a late change
 * soonest; a value of at least `DRIFT_DAYS` is a notice for people, never a rollback: it is no bound for the whole life.
 */
export const driftLogE = (buckets: readonly DayBucket[], limit: number): number =>
  driftOf(logsByDay([{ limit, buckets }]));

/** The same of a sum or a ratio, whose limit is inside its logs; buckets in any order. */
export const sumDriftLogE = (buckets: readonly SumBucket[]): number => driftOf(sumLogsByDay(buckets));

function driftOf(days: readonly (readonly number[])[]): number {
  let logs: readonly number[] = BETS.map(() => 0);
  for (const dayLogs of days) logs = logs.map((log, j) => (dayLogs[j] as number) + Math.max(log, 0));
  return logMeanExp(logs);
}
