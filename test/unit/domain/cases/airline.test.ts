import { describe, expect, test } from 'vitest';
import { MUTATION_KINDS } from '../../../../src/domain/cases/mutations.ts';
import { strengthOf } from '../../../../src/domain/cases/strength.ts';
import { runSuite } from '../../../../src/domain/cases/suite.ts';
import { airline, airlineCases, airlineRelease } from './given.ts';

const cases = airlineCases();
const suite = (number: 1 | 2 | 3) => runSuite({ agent: airline, release: airlineRelease(number) }, cases);
const redOf = (number: 1 | 2 | 3) =>
  suite(number)
    .results.filter(({ verdict }) => verdict === 'red')
    .map((one) => one.case);

describe('the cases of the airline example', () => {
  test('those of the rollback are red on release 2 and green on release 3', () => {
    expect(redOf(2)).toEqual(['cancel-another', 'cancel-unvouched', 'certificate-above-policy']);
    const third = suite(3);
    expect(third).toMatchObject({ red: 0, unevaluable: 0, notApplicable: 0, green: cases.length });
  });

  test('that every write asks is red for the policy of certificates alone, which release 1 did not have', () => {
    expect(redOf(1)).toEqual(['certificate-above-policy']);
  });

  test('release 3 weakened in each of the six ways is noticed, every time', () => {
    const strength = strengthOf(airline, airlineRelease(3), cases);
    expect(strength.all.filter(({ noticedBy }) => noticedBy === undefined)).toEqual([]);
    expect(new Set(strength.all.map(({ kind }) => kind))).toEqual(new Set(MUTATION_KINDS));
    expect(`caught ${strength.noticed} of ${strength.weakenings}`).toBe('caught 19 of 19');
  });

  test('a suite without the cases of a weakening does not notice it, and one on purpose is', () => {
    const release = airlineRelease(3);
    expect(strengthOf(airline, release, []).noticed).toBe(0);
    const alone = cases.filter(({ case: name }) => name === 'silver-waits');
    expect(strengthOf(airline, release, alone)).toMatchObject({ noticed: 1, weakenings: 19 });
  });

  test('answers the same over 100 shuffled runs and in other time zones', () => {
    const zone = process.env.TZ;
    const release = airlineRelease(3);
    const expected = JSON.stringify(runSuite({ agent: airline, release }, cases));
    try {
      for (let run = 0; run < 100; run++) {
        process.env.TZ = ['UTC', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Chatham'][run % 4];
        const shuffled = cases
          .map((one, at) => ({ one, key: (at * 7_919 + run * 104_729) % 1_009 }))
          .sort((a, b) => a.key - b.key)
          .map(({ one }) => one);
        expect(JSON.stringify(runSuite({ agent: airline, release }, shuffled))).toBe(expected);
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});
