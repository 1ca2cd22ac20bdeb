import { logGamma } from './gamma.ts';

/**
 * What 4.3 needs of the beta distribution, in logarithms: the published libraries give the regularised value, which is 0
 * long before its logarithm is anything unusual.
 */
const STEPS_MAX = 10_000;
const TINY = 1e-300;
const EXACT = 2 ** -53;

/** ln B(a, b) for a, b > 0. */
export const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b);

/** ln(1 − I_x(a, b)), the logarithm of the upper tail of Beta(a, b) at x in 0..1. */
export function logUpperBeta(x: number, a: number, b: number): number {
  if (!(x > 0 && x < 1))
    throw new RangeError(`Cannot compute a beta tail: x is ${x}, it must be between 0 and 1`);
  // The fraction converges soon on one side of the mean; the other side is what is left of 1.
  return 1 - x < (b + 1) / (a + b + 2)
    ? logLower(1 - x, b, a)
    : Math.log1p(-Math.min(1 - EXACT, Math.exp(logLower(x, a, b))));
}

/** ln I_x(a, b) by its continued fraction (Numerical Recipes 6.4), evaluated as Lentz does. */
function logLower(x: number, a: number, b: number): number {
  const front = a * Math.log(x) + b * Math.log1p(-x) - Math.log(a) - logBeta(a, b);
  let c = 1;
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < STEPS_MAX; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let step = 1;
    for (const term of [even, odd]) {
      d = 1 / nonZero(1 + term * d);
      c = nonZero(1 + term / c);
      step *= d * c;
    }
    fraction *= step;
    if (Math.abs(step - 1) <= EXACT * 4) break;
  }
  return front + Math.log(fraction);
}

const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
