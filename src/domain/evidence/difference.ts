import { type Fired, firing } from './alpha.ts';
import { logMeanExp } from './eprocess.ts';
import { fromFixed, meanOf, toFixed } from './sum-process.ts';

/** What one arm came to: subjects first seen in it, of how many somebody reported, and their total in fixed point. */
export interface ArmTotal {
  subjects: number;
  known: number;
  total: string;
}

/** What a sum is compared with the release in force by. */
export interface DifferenceFacts {
  /** How much more a subject of the candidate may come to in the mean. */
  more: number;
  /** One for each bet, in fixed point; empty while nobody was seen. The difference and the cap are inside them. */
  logs: readonly string[];
  treated: ArmTotal;
  control: ArmTotal;
  /** Subjects above the cap: with one of them the cap is none, and the comparison says nothing. */
  over: number;
  weight: number;
  firedBefore: boolean;
  /** How often it began anew with those who were new then: the weight is what that left of it. */
  anew?: number;
}

/** What it came to. */
export interface DifferenceJudged extends Fired {
  /** Of those of whom somebody said what came of them; null of nobody. */
  treatedMean: number | null;
  controlMean: number | null;
}

/** Logs of several days, bet by bet; days without any add nothing. */
export const addedLogs = (days: readonly (readonly string[])[]): string[] =>
  days
    .filter((logs) => logs.length > 0)
    .reduce<bigint[]>((sum, logs) => logs.map((log, j) => (sum[j] ?? 0n) + BigInt(log)), [])
    .map(String);

/**
 * Judges the mean of a sum beside the release in force: "the effect is at most `more`" is 4.1 on x = Z + c with m = more + c,
 * Z = A·Y/π − (1−A)·Y/(1−π) and c = B/(1−π_max), where π is the share exposed when a subject was first seen, π_max the largest
 * of the plan and B the cap (STATISTICS 4.3; Howard et al., arXiv:1810.08240, Corollary 2). The share may change from step to
 * step. Y is what was known of a subject when its day became ripe, in both arms: an outcome of control that came later would lower an
 * x that was judged by already, and no supermartingale survives that.
 */
export function judgeDifference(alpha: number, facts: DifferenceFacts): DifferenceFacts & DifferenceJudged {
  const { logs, over, treated, control } = facts;
  const logE = over > 0 || logs.length === 0 ? 0 : logMeanExp(logs.map((log) => fromFixed(BigInt(log))));
  return {
    ...facts,
    treatedMean: meanOf(BigInt(treated.total), toFixed(treated.known)),
    controlMean: meanOf(BigInt(control.total), toFixed(control.known)),
    ...firing(alpha, facts, logE),
  };
}
