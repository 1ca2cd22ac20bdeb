import { expect, test } from 'vitest';
import { logGamma, logUpperGamma } from '../../../../src/domain/evidence/gamma.ts';

/** s, x and ln Γ(s, x) with 50 digits, by mpmath 1.3.0 `log(gammainc(s, x))`. */
const UPPER = [
  [0.5, 0.1, 0.14881861944873434],
  [0.5, 1.4, -1.789287724525557],
  [0.5, 1.6, -2.036225471001848],
  [0.5, 800, -803.3429298902691],
  [2, 1e-6, -4.999996666669166e-13],
  [3.5, 2, 0.9522268285726557],
  [3.5, 4.4, -0.11827530754684142],
  [3.5, 4.6, -0.23193406765788085],
  [20.5, 1, 40.8315009745308],
  [20.5, 50, 26.759857344824944],
  [100.5, 99, 360.83150379210383],
  [100.5, 102, 360.58632400127465],
  [1000.5, 1000, 5907.985225548598],
  [1000.5, 3000, 5002.769349660168],
  [100000.5, 90000, 1051293.4654351394],
  [100000.5, 100002, 1051292.7676515416],
  [1000000.5, 1001000, 12815509.636643207],
] as const;

/** s and ln Γ(s), by mpmath 1.3.0 `loggamma(s)`. */
const WHOLE = [
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247001],
  [1, 0],
  [2, 0],
  [3.5, 1.2009736023470743],
  [14.9, 24.924132002217277],
  [15, 25.19122118273868],
  [100.5, 361.4355404677776],
  [1000000.5, 12815511.476902766],
] as const;

const near = (value: number, expected: number) =>
  expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(expected)));

test.each(UPPER)('logUpperGamma(%d, %d) is %d', (s, x, expected) => near(logUpperGamma(s, x), expected));
test.each(WHOLE)('logGamma(%d) is %d', (s, expected) => near(logGamma(s), expected));

test('Γ(s+1, x) = s·Γ(s, x) + x^s·e^−x, across the seam of the two methods', () => {
  for (let s = 0.5; s < 200; s += 7.25) {
    for (const x of [s * 0.1, s * 0.9, s + 0.9, s + 1.1, s * 3]) {
      const [own, rest] = [Math.log(s) + logUpperGamma(s, x), s * Math.log(x) - x];
      const top = Math.max(own, rest);
      near(logUpperGamma(s + 1, x), top + Math.log(Math.exp(own - top) + Math.exp(rest - top)));
    }
  }
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('neither takes %d', (value) => {
  expect(() => logGamma(value)).toThrow(RangeError);
  expect(() => logUpperGamma(value, 1)).toThrow(RangeError);
  expect(() => logUpperGamma(1, value)).toThrow(RangeError);
});
