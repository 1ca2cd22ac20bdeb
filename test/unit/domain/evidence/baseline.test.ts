import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limitFrom, lockedLimit, weightLeft } from '../../../../src/domain/evidence/baseline.ts';
import {
  betLogs,
  RESTART_START,
  restartAfter,
  restartStateLogE,
  upperBound,
} from '../../../../src/domain/evidence/eprocess.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';
import { judgeFacts } from '../../../../src/domain/evidence/judge-facts.ts';

describe('the limit by a baseline', () => {
  test('is its upper bound and the margin', () => {
    const { upper, limit } = lockedLimit({ events: 400, harms: 8, known: 400 }, 0.5, 0.01);
    expect(upper).toBe(upperBound({ events: 400, harms: 8 }, 0.01));
    expect(limit).toBeCloseTo(upper * 1.5, 12);
    expect(upper).toBeGreaterThan(8 / 400);
  });

  test.each([
    ['nothing happened', { events: 0, harms: 0, known: 0 }, 0],
    ['the margin leaves nothing to exceed', { events: 400, harms: 8, known: 400 }, 30],
    ['nobody said what came of it', { events: 400, harms: 0, known: 0 }, 0],
  ])('is none where %s', (_, counts, margin) => {
    expect(lockedLimit(counts, margin, 0.001).limit).toBeNull();
  });

  test('of a guardrail that only reports there is none: it has no part of alpha', () => {
    expect(lockedLimit({ events: 400, harms: 8, known: 400 }, 0.5, 0)).toEqual({ upper: 1, limit: null });
  });

  test('silence never makes it stricter, nor does more margin', () => {
    fc.assert(
      fc.property(
        fc.nat(300),
        fc.nat(300),
        fc.nat(300),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (a, b, c, more) => {
          const [harms = 0, known = 0, events = 0] = [a, b, c].sort((one, other) => one - other);
          const told = lockedLimit({ events, harms, known: events }, 0.2, 0.01).limit ?? 1;
          expect(lockedLimit({ events, harms, known }, 0.2, 0.01).limit ?? 1).toBeGreaterThanOrEqual(told);
          expect(
            lockedLimit({ events, harms, known: events }, 0.2 + more, 0.01).limit ?? 1,
          ).toBeGreaterThanOrEqual(told);
        },
      ),
    );
  });

  test('the process has half of the weight left, an absolute limit all of it', () => {
    const locked = { upper: 0.04, limit: 0.06 };
    const against = { baseline: { margin: 0.5 } };
    expect([limitFrom(against, locked), weightLeft(against, 0.4)]).toEqual([0.06, 0.2]);
    expect(limitFrom(against, undefined)).toBeNull();
    expect([limitFrom(0.02, locked), weightLeft(0.02, 0.4)]).toEqual([0.02, 0.4]);
  });
});

/** A baseline and then a candidate of the same rate, looked at each day: how often it is taken back. */
function falselyTakenBack(runs: number, rates: { baseline: number; candidate: number }): number {
  const random = randomFrom(20261121);
  const alpha = 0.05;
  let stopped = 0;
  for (let run = 0; run < runs; run += 1) {
    const draw = (events: number, rate: number): number => {
      let harms = 0;
      for (let n = 0; n < events; n += 1) if (random() < rate) harms += 1;
      return harms;
    };
    const counts = { events: 600, harms: draw(600, rates.baseline), known: 600 };
    const { limit } = lockedLimit(counts, 0, alpha / 2);
    if (limit === null) continue;
    let state = RESTART_START;
    for (let day = 0; day < 60; day += 1) {
      state = restartAfter(state, betLogs({ events: 20, harms: draw(20, rates.candidate) }, limit));
      if (restartStateLogE(state) >= Math.log(2 / alpha)) {
        stopped += 1;
        break;
      }
    }
  }
  return stopped / runs;
}

test('a candidate like its baseline is taken back in fewer than alpha of the runs, one that is four times as bad always', () => {
  expect(falselyTakenBack(400, { baseline: 0.05, candidate: 0.05 })).toBeLessThan(0.05);
  expect(falselyTakenBack(60, { baseline: 0.05, candidate: 0.2 })).toBe(1);
});

test('where the baseline does not suffice nothing is taken back, and nothing is ok', () => {
  const facts = {
    kind: 'rate' as const,
    limit: 1,
    baselineThin: true,
    alpha: 0.05,
    weight: 0.2,
    minSample: 0,
    breachedBefore: false,
    matureBefore: 9,
    builds: ['1'],
  };
  for (const harms of [0, 100]) {
    const buckets = [{ segment: 'gold', build: '1', day: 0, events: 100, harms, known: 100 }];
    expect(judgeFacts({ ...facts, buckets }).verdict).toBe('no-data');
  }
});
