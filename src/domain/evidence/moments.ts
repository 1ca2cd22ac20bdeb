import { BETS, logMeanExp, supremum } from './eprocess.ts';

/** What is kept of many values of 0 and above: how many, their sum and the sum of their squares. */
export interface Moments {
  events: number;
  sum: number;
  squares: number;
}

/** ψ(k) = −ln(1−k) − k of each bet. */
const PSI: readonly number[] = BETS.map((k) => -Math.log1p(-k) - k);

/**
 * A lower bound of the mean, as valid as that of 4.1 and a little below it, from moments alone: 1 + kξ ≥ exp(kξ − ψ(k)ξ²) for
 * ξ ≥ −1 (Fan, Grama and Liu, arXiv:1206.3012, lemma 4.1), so with ξ = x/m − 1 the logs of 4.1 are at least
 * k(Σx/m − n) − ψ(k)(Σx²/m² − 2Σx/m + n): whatever m makes E reach 1/alpha by these makes the true one reach it.
 */
export function lowerMeanOfMoments(moments: Moments, alpha: number): number {
  if (!(alpha > 0 && alpha < 1))
    throw new RangeError(`Cannot bound a mean: alpha is ${alpha}, it must be between 0 and 1`);
  if (moments.events === 0 || !(moments.sum > 0)) return 0;
  const needed = -Math.log(alpha);
  const reaches = (m: number) => logLeast(moments, m) >= needed;
  // By one bet alone it is a parabola in 1/m, whose nearer root bounds where the mean of the bets crosses.
  const least = Math.max(
    ...BETS.map((k, j) => rootOf(moments, k, PSI[j] as number, needed + Math.log(BETS.length))),
  );
  if (!(least > 0)) return 0;
  return least + supremum((above) => reaches(least + above), moments.sum / moments.events);
}

const logLeast = ({ events, sum, squares }: Moments, m: number): number =>
  logMeanExp(
    BETS.map((k, j) => {
      const deviation = sum / m - events;
      return k * deviation - (PSI[j] as number) * (squares / m ** 2 - (2 * sum) / m + events);
    }),
  );

/** The largest m at which one bet alone reaches `needed`; 0 where it never does. */
function rootOf({ events, sum, squares }: Moments, k: number, psi: number, needed: number): number {
  const [a, b, c] = [psi * squares, (k + 2 * psi) * sum, (k + psi) * events + needed];
  const root = b * b - 4 * a * c;
  return root < 0 ? 0 : (b + Math.sqrt(root)) / (2 * c);
}
