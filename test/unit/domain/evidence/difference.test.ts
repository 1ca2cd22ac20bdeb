import { describe, expect, test } from 'vitest';
import { addedLogs, judgeDifference } from '../../../../src/domain/evidence/difference.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';
import { addValue, EMPTY_SUM } from '../../../../src/domain/evidence/sum-process.ts';

const CAP = 2;
const MORE = 0.25;
const RUNS = 100;

const known = new Map<string, string[]>();

/** What one subject adds, where a share is exposed and at most half ever is. */
function logsOf(treated: boolean, spent: boolean, share: number): string[] {
  const key = `${treated} ${spent} ${share}`;
  const shift = CAP / (1 - 0.5);
  const z = (spent ? CAP : 0) * (treated ? 1 / share : -1 / (1 - share));
  const logs = known.get(key) ?? addValue(EMPTY_SUM, z + shift, MORE + shift).logs.map(String);
  known.set(key, logs);
  return logs;
}

const judged = (days: string[][], over = 0) =>
  judgeDifference(0.05, {
    more: MORE,
    logs: addedLogs(days),
    treated: { subjects: 0, known: 0, total: '0' },
    control: { subjects: 0, known: 0, total: '0' },
    over,
    weight: 1,
    firedBefore: false,
  });

describe('judgeDifference()', () => {
  // The share exposed changes from subject to subject; control spends CAP with chance 0.3, so MORE is 0.125 of chance more.
  const SHARES = [0.1, 0.5, 0.25, 0.5, 0.1, 0.25];
  const expected = (more: number) => {
    const spends = (treated: boolean) => 0.3 + (treated ? more / CAP : 0);
    let sum = 0;
    for (let path = 0; path < 4 ** SHARES.length; path++) {
      let chance = 1;
      const days = SHARES.map((share, n) => {
        const [treated, spent] = [(path >> (2 * n)) % 2 === 1, (path >> (2 * n + 1)) % 2 === 1];
        chance *= (treated ? share : 1 - share) * (spent ? spends(treated) : 1 - spends(treated));
        return logsOf(treated, spent, share);
      });
      sum += chance * Math.exp(judged(days).logE);
    }
    return sum;
  };

  test('summed over all 4^6 ways of assigning and spending it is 1 at the limit, and less below', () => {
    // Every log is rounded down to 2^-32, so a shade less.
    expect(expected(MORE)).toBeLessThanOrEqual(1);
    expect(expected(MORE)).toBeGreaterThan(1 - 1e-8);
    expect(expected(0)).toBeLessThan(1);
  });

  test('looked at after each subject it stops at most a twentieth of what is at the limit, and finds what is far above', () => {
    const random = randomFrom(20261121);
    const runs = (spends: number, subjects: number) => {
      let fired = 0;
      for (let run = 0; run < RUNS; run++) {
        let logs: string[] = [];
        for (let n = 0; n < subjects; n++) {
          const share = n < subjects / 2 ? 0.1 : 0.5;
          const treated = random() < share;
          const spent = random() < (treated ? spends : 0.3);
          logs = addedLogs([logs, logsOf(treated, spent, share)]);
          if (judged([logs]).fired) {
            fired++;
            break;
          }
        }
      }
      return fired / RUNS;
    };
    expect(runs(0.3 + MORE / CAP, 200)).toBeLessThanOrEqual(0.05);
    expect(runs(1, 300)).toBeGreaterThan(0.9);
  });

  test('with a subject above the cap, or nobody, it says nothing', () => {
    const spent = Array.from({ length: 40 }, () => logsOf(true, true, 0.1));
    expect(judged(spent).fired).toBe(true);
    expect(judged(spent, 1)).toMatchObject({ logE: 0, fired: false });
    expect(judged([])).toMatchObject({ logE: 0, eValue: 1, fired: false, treatedMean: null });
  });
});
