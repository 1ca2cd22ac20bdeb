/**
 * The two special functions that 4.2 needs, in logarithms: what the published libraries give is the regularised value,
 * and that is 0 long before its logarithm is anything unusual (x = 800 is enough).
 */
const STIRLING_FROM = 15;
const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
const STEPS_MAX = 100_000;
const TINY = 1e-300;
const EXACT = 2 ** -53;

function requirePositive(value: number, what: string): void {
  if (!(value > 0 && Number.isFinite(value)))
    throw new RangeError(`Cannot compute a gamma function: ${what} is ${value}, it must be above 0`);
}

/** ln Γ(s) for s > 0: Stirling's series, after lifting a small s by Γ(s+1) = s·Γ(s). */
export function logGamma(s: number): number {
  requirePositive(s, 's');
  let product = 1;
  let x = s;
  for (; x < STIRLING_FROM; x += 1) product *= x;
  const y = 1 / (x * x);
  const series =
    (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - (y * 691) / 360_360))))) / x;
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_TWO_PI + series - Math.log(product);
}

/** ln Γ(s, x), the upper incomplete gamma function, for s > 0 and x > 0. */
export function logUpperGamma(s: number, x: number): number {
  requirePositive(s, 's');
  requirePositive(x, 'x');
  return x < s + 1 ? logGamma(s) + Math.log1p(-lowerShare(s, x)) : logTail(s, x);
}

/** γ(s, x)/Γ(s) by its series Σ xⁿ/(s(s+1)…(s+n)). */
function lowerShare(s: number, x: number): number {
  let term = 1 / s;
  let sum = term;
  for (let n = 1; n < STEPS_MAX && term > sum * EXACT; n += 1) {
    term *= x / (s + n);
    sum += term;
  }
  return Math.exp(s * Math.log(x) - x - logGamma(s) + Math.log(sum));
}

/** By the continued fraction of Legendre, evaluated as Lentz does. */
function logTail(s: number, x: number): number {
  let b = x + 1 - s;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < STEPS_MAX; n += 1) {
    const a = -n * (n - s);
    b += 2;
    d = 1 / nonZero(a * d + b);
    c = nonZero(b + a / c);
    const step = c * d;
    fraction *= step;
    if (Math.abs(step - 1) <= EXACT * 2) break;
  }
  return s * Math.log(x) - x + Math.log(fraction);
}

const nonZero = (value: number): number => (Math.abs(value) < TINY ? TINY : value);
