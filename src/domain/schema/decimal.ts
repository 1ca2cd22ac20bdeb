/** A decimal number as digits and a power of ten: 19.99 is 1999 and -2. */
interface Decimal {
  digits: bigint;
  exponent: number;
}

/**
 * Whether `value` is a whole number of times `step`, as decimals: 19.99 is 1,999 times 0.01. Exact, because a
 * number that arrived is the shortest text of itself.
 */
export function isMultipleOf(value: number, step: number): boolean {
  if (!Number.isFinite(value)) return false;
  const [a, b] = [decimalOf(value), decimalOf(step)];
  const exponent = Math.min(a.exponent, b.exponent);
  return scaled(a, exponent) % scaled(b, exponent) === 0n;
}

const scaled = ({ digits, exponent }: Decimal, to: number): bigint => digits * 10n ** BigInt(exponent - to);

function decimalOf(value: number): Decimal {
  const [mantissa = '', power = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(`${whole}${fraction}`), exponent: Number(power) - fraction.length };
}
