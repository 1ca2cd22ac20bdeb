import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type EarnCounts,
  type EarnPolicy,
  judgeEarned,
  lowerBound,
} from '../../../../src/domain/evidence/earned.ts';
import { BETS, logE } from '../../../../src/domain/evidence/eprocess.ts';
import { seeded } from '../../../support/seeded.ts';

const ALPHA = 0.05;
const PATH_LENGTH = 12;
const SCALE = 60n;
const ONE = 1n << SCALE;

/** A double within 2^-7..1 as an exact fraction of 2^60. */
const exactly = (value: number): bigint => BigInt(value * 2 ** 53) << (SCALE - 53n);

/** Whether E(m) >= 20, in whole numbers, without rounding: sum over the bets of prod(1 + k(y/m - 1)) >= 16 * 20. */
function exactlyProven(good: number, bad: number, m: number): boolean {
  const limit = exactly(m);
  const sum = BETS.map((bet) => {
    const k = BigInt(bet * 2 ** 60);
    return (limit * ONE + k * ONE - k * limit) ** BigInt(good) * (ONE - k) ** BigInt(bad);
  }).reduce((total, term) => total + term, 0n);
  return sum >= 320n * (limit * ONE) ** BigInt(good) * ONE ** BigInt(bad);
}

describe('lowerBound()', () => {
  test.each([
    [10, 0, 0.577429989749],
    [54, 0, 0.900906907848],
    [100, 0, 0.945058736224],
    [100, 1, 0.92049550471],
    [100, 10, 0.800850751424],
    [300, 3, 0.959523206242],
    [50, 50, 0.351817494079],
  ])('of %i good and %i bad is %d, as exact arithmetic finds', (good, bad, expected) => {
    const lower = lowerBound({ good, bad, alpha: ALPHA });
    expect(lower).toBeCloseTo(expected, 11);
    expect(exactlyProven(good, bad, lower - 1e-12)).toBe(true);
    expect(exactlyProven(good, bad, lower + 1e-12)).toBe(false);
  });

  test('is 0 when nothing is proven', () => {
    for (const [good, bad] of [
      [0, 0],
      [0, 5],
      [0, 1_000_000],
      [1, 1_000_000],
    ] as const)
      expect(lowerBound({ good, bad, alpha: ALPHA })).toBe(0);
  });

  test('stays finite for a million events, just under the share', () => {
    expect(lowerBound({ good: 1_000_000, bad: 0, alpha: ALPHA })).toBeGreaterThan(0.99999);
    const lower = lowerBound({ good: 995_000, bad: 5_000, alpha: ALPHA });
    expect(lower).toBeGreaterThan(0.9945);
    expect(lower).toBeLessThan(0.995);
  });

  test('rises with every good event, falls with every bad one, and lies below the share', () => {
    const count = fc.nat({ max: 2_000 });
    fc.assert(
      fc.property(count, count, fc.constantFrom(0.2, 0.05, 0.001), (good, bad, alpha) => {
        const lower = lowerBound({ good, bad, alpha });
        expect(lowerBound({ good: good + 1, bad, alpha })).toBeGreaterThanOrEqual(lower);
        expect(lowerBound({ good, bad: bad + 1, alpha })).toBeLessThanOrEqual(lower);
        expect(lower).toBeLessThanOrEqual(good / Math.max(1, good + bad));
      }),
    );
  });

  test.each([
    [{ good: 1.5, bad: 0, alpha: ALPHA }],
    [{ good: -1, bad: 3, alpha: ALPHA }],
    [{ good: 3, bad: -1, alpha: ALPHA }],
    [{ good: 3, bad: 0, alpha: 0 }],
    [{ good: 3, bad: 0, alpha: 1 }],
  ])('refuses %j', (counts) => expect(() => lowerBound(counts)).toThrow(RangeError));
});

describe('judgeEarned()', () => {
  const policy: EarnPolicy = { decided: 120, above: 0.95, alpha: ALPHA };
  const judged = (state: 'ask' | 'allow', counts: EarnCounts) => judgeEarned(policy, state, counts).verdict;

  test('from ask: earned with enough decided and the bound above the level', () => {
    expect(judged('ask', { decided: 120, good: 111, bad: 0 })).toBe('earned');
    expect(judged('ask', { decided: 119, good: 111, bad: 0 })).toBe('keep');
    expect(judged('ask', { decided: 120, good: 110, bad: 0 })).toBe('keep');
    expect(judged('ask', { decided: 200, good: 161, bad: 1 })).toBe('keep');
    expect(judged('ask', { decided: 200, good: 162, bad: 1 })).toBe('earned');
  });

  test('from allow: breach as soon as the bound is not above the level, however many were decided', () => {
    expect(judged('allow', { decided: 0, good: 111, bad: 0 })).toBe('keep');
    expect(judged('allow', { decided: 500, good: 111, bad: 1 })).toBe('breach');
    expect(judged('allow', { decided: 500, good: 0, bad: 0 })).toBe('breach');
  });

  test('the level itself does not do: it must be exceeded', () => {
    const counts = { decided: 500, good: 200, bad: 1 };
    const { lower } = judgeEarned(policy, 'ask', counts);
    expect(judgeEarned({ ...policy, above: lower }, 'ask', counts).verdict).toBe('keep');
    expect(judgeEarned({ ...policy, above: lower }, 'allow', counts).verdict).toBe('breach');
  });
});

describe('over all 2^12 paths, without chance', () => {
  const paths = Array.from({ length: 2 ** PATH_LENGTH }, (_, bits) =>
    Array.from({ length: PATH_LENGTH }, (_, at) => (bits >> at) & 1),
  );
  const goodOf = (path: readonly number[]) => path.reduce((sum, y) => sum + y, 0);
  const chanceOf = (path: readonly number[], p: number) =>
    p ** goodOf(path) * (1 - p) ** (path.length - goodOf(path));
  const expectationAt = (m: number, p: number) =>
    paths.reduce((sum, path) => {
      const counts = { events: PATH_LENGTH, harms: goodOf(path) };
      return sum + chanceOf(path, p) * Math.exp(logE(counts, m));
    }, 0);

  test.each([0.3, 0.8, 0.95])('E has expectation 1 when the share of good is %d, and less below', (m) => {
    expect(Math.abs(expectationAt(m, m) - 1)).toBeLessThan(1e-12);
    expect(expectationAt(m, m - 0.1)).toBeLessThan(1);
  });

  test.each([0.2, 0.5, 0.7])(
    'the bound is ever above the true share %d with a chance of at most alpha',
    (p) => {
      const bounds = new Map<string, number>();
      const boundOf = (good: number, bad: number): number => {
        const key = `${good}/${bad}`;
        const bound = bounds.get(key) ?? lowerBound({ good, bad, alpha: ALPHA });
        bounds.set(key, bound);
        return bound;
      };
      const everAbove = (path: readonly number[]) =>
        path.some((_, at) => {
          const good = goodOf(path.slice(0, at + 1));
          return boundOf(good, at + 1 - good) > p;
        });
      const chance = paths.filter(everAbove).reduce((sum, path) => sum + chanceOf(path, p), 0);
      expect(chance).toBeLessThanOrEqual(ALPHA);
    },
  );
});

describe('looked at after every event', () => {
  const STREAMS = 2_000;
  const EVENTS = 2_000;

  const needed = new Map<string, number>();

  /** The least number of good events that earns it with so many bad ones: the bound rises with the good ones. */
  function goodNeeded(above: number, bad: number): number {
    const known = needed.get(`${above}/${bad}`);
    if (known !== undefined) return known;
    const earns = (good: number) =>
      judgeEarned({ decided: 0, above, alpha: ALPHA }, 'ask', { decided: good, good, bad }).verdict ===
      'earned';
    let low = bad === 0 ? 0 : goodNeeded(above, bad - 1);
    let high = low + 64;
    while (!earns(high)) [low, high] = [high, 2 * high - low];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (earns(middle)) high = middle;
      else low = middle;
    }
    needed.set(`${above}/${bad}`, high);
    return high;
  }

  interface Stream {
    share: number;
    above: number;
    events: number;
    /** How many events later a good one, and a bad one, is known. */
    goodAfter: number;
    badAfter: number;
  }

  /** After how many events each stream has earned it; Infinity when it never does. */
  function earnedAt({ share, above, events, goodAfter, badAfter }: Stream, seed: number): number[] {
    const random = seeded(seed);
    const isGood = new Uint8Array(events);
    return Array.from({ length: STREAMS }, () => {
      for (let at = 0; at < events; at += 1) isGood[at] = random() < share ? 1 : 0;
      let [good, bad] = [0, 0];
      for (let at = 0; at < events; at += 1) {
        if (isGood[at - goodAfter] === 1) good += 1;
        if (isGood[at - badAfter] === 0) bad += 1;
        if (good >= goodNeeded(above, bad)) return at + 1;
      }
      return Number.POSITIVE_INFINITY;
    });
  }

  const shareOf = (found: readonly number[]) => found.filter(Number.isFinite).length / found.length;
  const quantile = (found: readonly number[], q: number) => found.toSorted((a, b) => a - b)[found.length * q];
  /** What a level of `ALPHA` explains: 2.33 standard deviations, 1 % one-sided. */
  const MOST = ALPHA + 2.33 * Math.sqrt((ALPHA * (1 - ALPHA)) / STREAMS);
  const atLevel = (share: number, goodAfter: number, badAfter: number) =>
    shareOf(earnedAt({ share, above: share, events: EVENTS, goodAfter, badAfter }, 20_261_121));

  test.each([0.8, 0.95, 0.99])(
    'a true share of just %d earns it in at most alpha of the streams',
    (share) => {
      const wrongly = atLevel(share, 0, 0);
      expect(wrongly).toBeLessThanOrEqual(MOST);
      expect(wrongly).toBeGreaterThan(0.001);
    },
  );

  test('counting good ones when they are mature and bad ones at once errs to the safe side', () => {
    expect(atLevel(0.95, 50, 0)).toBeLessThanOrEqual(atLevel(0.95, 0, 0));
    expect(atLevel(0.95, 200, 0)).toBeLessThanOrEqual(ALPHA);
  });

  test('the same harness convicts counting good ones at once and bad ones late', () => {
    expect(atLevel(0.95, 0, 200)).toBeGreaterThan(0.5);
  });

  test.each([
    [0.9, 54, 80],
    [0.95, 111, 208],
    [0.98, 526, 938],
    [0.99, 2_622, 5_270],
  ])(
    'above %d, of 99.5 percent good, is earned after %i events (median), %i (90 percent)',
    (above, median, ninety) => {
      const stream = { share: 0.995, above, events: 3 * median, goodAfter: 0, badAfter: 0 };
      const found = earnedAt(stream, 7);
      const near = (q: number, expected: number) => Math.abs((quantile(found, q) ?? 0) / expected - 1);
      expect(near(0.5, median)).toBeLessThan(0.1);
      expect(near(0.9, ninety)).toBeLessThan(0.1);
    },
  );
});
