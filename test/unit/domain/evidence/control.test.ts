import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logUpperBeta } from '../../../../src/domain/evidence/beta.ts';
import { controlLogE, judgeControl } from '../../../../src/domain/evidence/control.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';

/** ∫ of t^(a−1)(1−t)^(b−1) from x to 1, with t = sin²u so that nothing is infinite at the ends; by Simpson. */
function tail(x: number, a: number, b: number): number {
  const from = Math.asin(Math.sqrt(x));
  const [steps, width] = [200_000, Math.PI / 2 - from];
  const f = (u: number) => 2 * Math.sin(u) ** (2 * a - 1) * Math.cos(u) ** (2 * b - 1);
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    const value = f(from + (width * i) / steps);
    sum += weight * (Number.isFinite(value) ? value : 0);
  }
  return (sum * width) / steps / 3;
}

describe('controlLogE()', () => {
  test.each([
    [0.1, 0.5, 0.5],
    [0.5, 3.5, 2.5],
    [0.9, 30.5, 2.5],
    [0.04, 2.5, 60.5],
  ])('the tail of the beta distribution at %d for %d and %d is the integral', (x, a, b) => {
    expect(logUpperBeta(x, a, b)).toBeCloseTo(Math.log(tail(x, a, b) / tail(0, a, b)), 6);
  });

  test('far out the tail is still a number', () => {
    expect(logUpperBeta(0.5, 0.5, 5_000.5)).toBeLessThan(-3_000);
    expect(logUpperBeta(0.5, 5_000.5, 0.5)).toBeCloseTo(0, 12);
    expect(controlLogE(0, 100_000, 0.5, 1)).toBeLessThan(0);
    expect(Number.isFinite(controlLogE(0, 100_000, 0.5, 1))).toBe(true);
    expect(Number.isFinite(controlLogE(100_000, 0, 0.01, 1))).toBe(true);
  });

  test.each([
    [0.5, 1],
    [0.1, 1],
    [0.25, 1.5],
  ])('summed over all 2^12 orders of harm it is 1: exposed %d, ratio %d', (share, ratio) => {
    const theta = (share * ratio) / (share * ratio + 1 - share);
    let [atLimit, below] = [0, 0];
    for (let path = 0; path < 2 ** 12; path++) {
      const treated = path.toString(2).replaceAll('0', '').length;
      const e = Math.exp(controlLogE(treated, 12 - treated, share, ratio));
      atLimit += theta ** treated * (1 - theta) ** (12 - treated) * e;
      below += (theta / 2) ** treated * (1 - theta / 2) ** (12 - treated) * e;
    }
    expect(atLimit).toBeCloseTo(1, 12);
    expect(below).toBeLessThan(1);
  });

  test('rises with harm of the candidate, falls with that of control and with what is let pass', () => {
    const count = fc.integer({ min: 0, max: 200 });
    const share = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    const ratio = fc.double({ min: 1, max: 5, noNaN: true });
    fc.assert(
      fc.property(count, count, share, ratio, (treated, control, part, times) => {
        const e = controlLogE(treated, control, part, times);
        expect(controlLogE(treated, control + 1, part, times)).toBeLessThanOrEqual(e + 1e-9);
        expect(controlLogE(treated, control, part, times * 1.3)).toBeLessThanOrEqual(e + 1e-9);
      }),
    );
  });

  test('2 % against 10 % is found within 105 an arm in the median; equal arms are stopped in at most a twentieth', () => {
    const random = randomFrom(20261121);
    const harmful = (rate: number) => Number(random() < rate);
    const found: number[] = [];
    let falsely = 0;
    for (let run = 0; run < 400; run++) {
      let [treated, control, n] = [0, 0, 0];
      while (controlLogE(treated, control, 0.5, 1) < Math.log(20)) {
        n++;
        treated += harmful(0.1);
        control += harmful(0.02);
      }
      found.push(n);
      [treated, control] = [0, 0];
      for (let i = 0; i < 1_500; i++) {
        treated += harmful(0.1);
        if (controlLogE(treated, control, 0.5, 1) >= Math.log(20)) {
          falsely++;
          break;
        }
        control += harmful(0.1);
      }
    }
    const median = found.sort((one, other) => one - other)[200] ?? 0;
    expect(median).toBeLessThanOrEqual(105 * 1.15);
    expect(falsely / 400).toBeLessThanOrEqual(0.05);
  });
});

describe('judgeControl()', () => {
  const arm = (subjects: number, harms: number, known = subjects) => ({ subjects, harms, known });

  test('each share of exposure has its own product', () => {
    const judged = judgeControl(0.05, {
      ratio: 1,
      weight: 1,
      firedBefore: false,
      strata: [
        { exposure: 1_000, treated: arm(10, 3), control: arm(90, 2) },
        { exposure: 5_000, treated: arm(50, 6), control: arm(50, 1) },
      ],
    });
    expect(judged.logE).toBeCloseTo(controlLogE(3, 2, 0.1, 1) + controlLogE(6, 1, 0.5, 1), 12);
    expect(judged).toMatchObject({ treatedHarms: 9, controlHarms: 3, fired: true });
  });

  test('of whom nobody said anything in the control arm is no proof that it does better', () => {
    const strata = [{ exposure: 5_000, treated: arm(50, 8), control: arm(50, 0, 42) }];
    const judged = judgeControl(0.05, { ratio: 1, weight: 1, firedBefore: false, strata });
    expect(judged).toMatchObject({ controlHarms: 8, fired: false });
  });

  test('with no weight it only reports', () => {
    const strata = [{ exposure: 5_000, treated: arm(500, 400), control: arm(500, 0) }];
    expect(judgeControl(0.05, { ratio: 1, weight: 0, firedBefore: false, strata })).toMatchObject({
      fired: false,
      thresholdLogE: null,
    });
  });
});
