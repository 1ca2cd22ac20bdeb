import {
  BETS,
  type BinaryCounts,
  eValueOf,
  logE,
  logMeanExp,
  lowerBound,
  supremum,
  upperBound,
} from './eprocess.ts';
import { VALUE_MAX } from './sum-process.ts';

/** One sample weighed against one limit (STATISTICS 4.1), and the bounds of its mean, valid at every look. */
export interface EValue {
  /** Natural log of E against "the mean is at most the limit". */
  logE: number;
  /** At most Number.MAX_VALUE. */
  eValue: number;
  /** Each bound at `alpha`, one-sided. */
  lower: number;
  /** Null for values without a cap: nothing bounds their mean from above. */
  upper: number | null;
  alpha: number;
}

/** Events that were harmful or not. @throws RangeError for counts, a limit or an alpha that cannot be */
export function eValueOfCounts(counts: BinaryCounts, limit: number, alpha: number): EValue {
  return {
    ...both(logE(counts, limit)),
    lower: lowerBound(counts, alpha),
    upper: upperBound(counts, alpha),
    alpha,
  };
}

/**
 * Values of 0 and above: cost, time, amounts. With an enforced `cap` the mean is bounded from above too, by 4.1 on
 * cap − x.
 * @throws RangeError for a value below 0, above the cap or beyond `VALUE_MAX`, and for a limit or an alpha that cannot be
 */
export function eValueOfValues(
  values: readonly number[],
  limit: number,
  alpha: number,
  cap?: number,
): EValue {
  const most = cap ?? VALUE_MAX;
  for (const x of values)
    if (!(x >= 0 && x <= most)) throw new RangeError(`the value ${x} is not within 0 to ${most}`);
  if (!(limit > 0 && Number.isFinite(limit)))
    throw new RangeError(`the limit is ${limit}, it must be above 0`);
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha is ${alpha}, it must be between 0 and 1`);
  const rest = cap === undefined ? undefined : values.map((x) => cap - x);
  return {
    ...both(meanLogE(values, limit)),
    lower: lowerMean(values, alpha),
    upper: cap === undefined || rest === undefined ? null : cap - lowerMean(rest, alpha),
    alpha,
  };
}

const both = (log: number): Pick<EValue, 'logE' | 'eValue'> => ({
  logE: log,
  eValue: eValueOf(log),
});

/** log mean_j Π(1 + k_j(x/m − 1)) (STATISTICS 4.1). */
function meanLogE(values: readonly number[], limit: number): number {
  const logs = BETS.map((k) => {
    let sum = 0;
    for (const x of values) sum += Math.log1p(k * (Math.min(x / limit, Number.MAX_VALUE) - 1));
    return sum;
  });
  return logMeanExp(logs);
}

/** sup{m : E(m) ≥ 1/alpha}: E falls in m. */
function lowerMean(values: readonly number[], alpha: number): number {
  const needed = -Math.log(alpha);
  const most = values.reduce((largest, x) => Math.max(largest, x), 0);
  return supremum((mean) => meanLogE(values, mean) >= needed, most);
}
