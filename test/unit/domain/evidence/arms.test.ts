import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  armsLogE,
  armsText,
  FALSE_MISMATCH,
  falseMismatch,
  judgeArms,
  PRIOR_SUBJECTS,
} from '../../../../src/domain/evidence/arms.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';

const TRIGGER = -Math.log(FALSE_MISMATCH);

/** By its definition, subject by subject: what is foretold of the next one, over what is assigned. */
class OneByOne {
  #n = 0;
  #treated = 0;
  logE = 0;
  constructor(readonly share: number) {}
  see(isTreated: boolean): number {
    const foretold = (PRIOR_SUBJECTS * this.share + this.#treated) / (PRIOR_SUBJECTS + this.#n);
    this.logE += isTreated ? Math.log(foretold / this.share) : Math.log((1 - foretold) / (1 - this.share));
    this.#n++;
    this.#treated += Number(isTreated);
    return this.logE;
  }
}

describe('armsLogE()', () => {
  test.each([0.05, 0.25, 0.5, 0.99])(
    'summed over all 2^12 orders of subjects it is 1: %d assigned',
    (share) => {
      let [assigned, other] = [0, 0];
      for (let path = 0; path < 2 ** 12; path++) {
        const treated = path.toString(2).replaceAll('0', '').length;
        const e = Math.exp(armsLogE(treated, 12 - treated, share));
        assigned += share ** treated * (1 - share) ** (12 - treated) * e;
        other += 0.7 ** treated * 0.3 ** (12 - treated) * e;
      }
      expect(assigned).toBeCloseTo(1, 12);
      expect(other).toBeGreaterThan(1);
    },
  );

  test('over all orders in two shares of exposure, the second begun when the first stands as it stands, it is 1 too', () => {
    let sum = 0;
    for (let path = 0; path < 2 ** 12; path++) {
      const one = (path >> 6).toString(2).replaceAll('0', '').length;
      const other = (path & 63).toString(2).replaceAll('0', '').length;
      const { logE } = judgeArms([
        { exposure: 500, treated: one, control: 6 - one },
        { exposure: 2_500, treated: other, control: 6 - other },
      ]);
      const chance = 0.05 ** one * 0.95 ** (6 - one) * 0.25 ** other * 0.75 ** (6 - other);
      sum += chance * Math.exp(logE);
    }
    expect(sum).toBeCloseTo(1, 12);
  });

  test('is the product over its subjects, in whatever order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 300 }),
        fc.integer({ min: 1, max: 9_999 }),
        (subjects, exposure) => {
          const share = exposure / 10_000;
          const oneByOne = new OneByOne(share);
          for (const isTreated of subjects) oneByOne.see(isTreated);
          const treated = subjects.filter(Boolean).length;
          expect(armsLogE(treated, subjects.length - treated, share)).toBeCloseTo(oneByOne.logE, 7);
        },
      ),
    );
    expect(Number.isFinite(armsLogE(10_000_000, 0, 0.0001))).toBe(true);
  });

  test('arms that are as assigned are called mismatched in fewer than one of 1,000, looked at after each subject', () => {
    const random = randomFrom(20261121);
    const [runs, subjects] = [6_000, 1_000];
    for (const share of [0.05, 0.25, 0.5]) {
      let [falsely, naively] = [0, 0];
      for (let run = 0; run < runs; run++) {
        const oneByOne = new OneByOne(share);
        let [treated, isFalse, isNaive] = [0, false, false];
        for (let n = 1; n <= subjects; n++) {
          const isTreated = random() < share;
          treated += Number(isTreated);
          isFalse ||= oneByOne.see(isTreated) >= TRIGGER;
          // The usual chi-square test at the same 0.001.
          isNaive ||= n >= 100 && (treated - n * share) ** 2 / (n * share * (1 - share)) >= 10.828;
        }
        falsely += Number(isFalse);
        naively += Number(isNaive);
      }
      expect(falsely / runs).toBeLessThan(FALSE_MISMATCH);
      expect(naively / runs).toBeGreaterThan(5 * FALSE_MISMATCH);
    }
  }, 60_000);

  test.each([
    [0.25, 0.3, 1_240, 2_130],
    [0.05, 0.1, 420, 750],
  ])(
    '%d assigned and %d seen is found after about %d subjects in the median, and %d in nine of ten',
    (share, seen, median, nine) => {
      const random = randomFrom(7);
      const found: number[] = [];
      for (let run = 0; run < 1_000; run++) {
        const oneByOne = new OneByOne(share);
        let n = 1;
        while (oneByOne.see(random() < seen) < TRIGGER) n++;
        found.push(n);
      }
      found.sort((one, other) => one - other);
      expect(found[500]).toBeLessThanOrEqual(median * 1.1);
      expect(found[900]).toBeLessThanOrEqual(nine * 1.1);
    },
  );

  test.each([
    [0.05, 9],
    [0.25, 20],
    [0.5, 34],
  ])('with a share of %d, %d subjects of the candidate in a row are none of chance', (share, n) => {
    expect(armsLogE(n - 1, 0, share)).toBeLessThan(TRIGGER);
    expect(armsLogE(n, 0, share)).toBeGreaterThanOrEqual(TRIGGER);
  });

  test('what begins anew when arms were accepted needs twice the evidence each time, and all of it may spend less than the first did', () => {
    const all = [{ exposure: 5_000, treated: 35, control: 0 }];
    const { logE } = judgeArms(all);
    const enough = [0, 1, 2, 3].map((round) => judgeArms(all, round).mismatched);
    expect(enough).toEqual([0, 1, 2, 3].map((round) => logE >= TRIGGER + round * Math.LN2));
    expect(new Set(enough).size).toBe(2);
    const later = Array.from({ length: 40 }, (_, n) => falseMismatch(n + 1));
    expect(later.reduce((sum, chance) => sum + chance, 0)).toBeLessThan(FALSE_MISMATCH);
    expect(falseMismatch(0)).toBe(FALSE_MISMATCH);
  });

  test('nobody seen says nothing; what cannot be is refused', () => {
    expect(judgeArms([])).toMatchObject({ seen: 0, logE: 0, mismatched: false });
    expect(armsLogE(0, 0, 0.5)).toBe(0);
    for (const [treated, control, share] of [
      [-1, 0, 0.5],
      [0.5, 0, 0.5],
      [1, 1, 0],
      [1, 1, 1],
      [1, 1, Number.NaN],
    ] as const)
      expect(() => armsLogE(treated, control, share)).toThrow('Cannot judge arms');
  });
});

test('armsText() says how many were seen, where, since when, and how many should be', () => {
  const strata = [
    { exposure: 2_500, treated: 30, control: 10 },
    { exposure: 500, treated: 3, control: 17 },
  ];
  expect(armsText(judgeArms(strata))).toBe(
    '33 of 60 subjects that were new while 5 % and 25 % were exposed are in the candidate; by that share 11 would be',
  );
  expect(armsText(judgeArms([]))).toBe('no subjects yet');
});
