import { PER_MAX } from './measure.ts';

/**
 * How the values of a sum or a ratio are played. Before the start only a mean is said of them, so how they lie is supposed: each
 * is one of two, 0 and the largest that there can be. For a mean no others of a sum tell less: the logs of 4.1 are concave in the
 * value, so whatever lies between adds more to E in the mean, of what takes back and of what proves that all is well. Of a ratio each
 * write is set against the most that it can be: what is usually set against less takes longer.
 */
export interface Values {
  kind: 'sum' | 'ratio';
  cap?: number;
  /** Of a ratio: the most that a write is set against. */
  perMax?: number;
}

/** So many times its limit is the largest value where no cap bounds it. */
export const TOP_TIMES = 10;

/** The larger of the two values; of a ratio it is spent for nothing, and 0 for all that can be done. */
export function topOf({ kind, cap, perMax = PER_MAX }: Values, limit: number, mean: number): number {
  if (cap !== undefined) return cap;
  return kind === 'ratio' ? TOP_TIMES * limit * perMax : Math.max(TOP_TIMES * limit, mean);
}

/**
 * A mean and its limit as shares of the subject-days that come to the larger value. Of values that are one of two the process of
 * 4.1 is that of a rate with these figures, and so is the proof of safety: k(x/m − 1) is the same.
 */
export function asShares(values: Values, limit: number, mean: number): { rate: number; limit: number } {
  const top = topOf(values, limit, mean);
  const { kind, perMax = PER_MAX } = values;
  const of = (value: number): number =>
    kind === 'sum' ? value / top : (value * perMax) / (top + value * perMax);
  return { rate: of(mean), limit: of(limit) };
}
