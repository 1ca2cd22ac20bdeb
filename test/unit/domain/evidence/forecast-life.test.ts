import { describe, expect, test } from 'vitest';
import { thresholdLogE } from '../../../../src/domain/evidence/alpha.ts';
import { judgeControl } from '../../../../src/domain/evidence/control.ts';
import { addedLogs, judgeDifference } from '../../../../src/domain/evidence/difference.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';
import {
  type ArmsDay,
  meanComparison,
  ratioComparison,
} from '../../../../src/domain/evidence/forecast-control.ts';
import { drawEvents } from '../../../../src/domain/evidence/forecast-draw.ts';
import { lifeOf } from '../../../../src/domain/evidence/forecast-life.ts';
import { judgeFacts } from '../../../../src/domain/evidence/judge-facts.ts';
import { addValue, EMPTY_SUM } from '../../../../src/domain/evidence/sum-process.ts';

/** Half of it, then all. */
const days = Array.from({ length: 40 }, (_, day) => ({ gold: day < 20 ? 0.5 : 1 }));

describe('a life is judged as a rollout is', () => {
  test.each([1, 2, 3, 4, 5, 6])(
    'rate and count take back on the day on which the judge does: seed %d',
    (seed) => {
      const thresholds = {
        rate: thresholdLogE(0.05, 0.2),
        count: thresholdLogE(0.05, 0.1),
        control: Number.POSITIVE_INFINITY,
      };
      const life = lifeOf(
        { segment: 'gold', traffic: 20, rate: 0.17, limit: 0.1, perDay: 2, thresholds },
        randomFrom(seed),
      );
      let fired: string[] = [];
      for (const [day, { gold }] of days.entries()) {
        fired = life.next(day, gold);
        const buckets = life.buckets.map((bucket) => ({
          ...bucket,
          segment: 'gold',
          build: '1',
          known: bucket.events,
        }));
        const judged = judgeFacts({
          kind: 'rate',
          limit: 0.1,
          alpha: 0.05,
          weight: 0.2,
          minSample: 0,
          breachedBefore: false,
          matureBefore: 0,
          builds: ['1'],
          buckets,
          count: {
            perDay: { gold: 2 },
            exposed: days.slice(0, day + 1).map((one, at) => ({
              segment: 'gold',
              fromDay: at,
              toDay: at,
              exposure: one.gold * 10_000,
            })),
            harms: life.buckets.map(({ day: at, harms }) => ({ segment: 'gold', day: at, harms })),
            weight: 0.1,
            firedBefore: false,
          },
        });
        expect(fired).toEqual(judged.firedBy);
        if (fired.length > 0) break;
      }
      expect(fired).not.toEqual([]);
    },
  );

  const random = randomFrom(8);
  const arms = Array.from({ length: 30 }, (_, day): ArmsDay => {
    const exposed = day < 15 ? 0.25 : 0.5;
    return {
      exposed,
      treated: drawEvents(20 * exposed, 0.2, random),
      control: drawEvents(20 * (1 - exposed), 0.1, random),
    };
  });

  test('the comparison by harmful subjects is that of the judge', () => {
    const compare = ratioComparison(1.5);
    const logs = arms.map(compare);
    const strata = [0.25, 0.5].map((share) => {
      const own = arms.filter(({ exposed }) => exposed === share);
      const sum = (arm: 'treated' | 'control') => {
        const subjects = own.reduce((total, one) => total + one[arm].events, 0);
        return { subjects, known: subjects, harms: own.reduce((total, one) => total + one[arm].harms, 0) };
      };
      return { exposure: share * 10_000, treated: sum('treated'), control: sum('control') };
    });
    const judged = judgeControl(0.05, { ratio: 1.5, strata, weight: 1, firedBefore: false });
    expect(logs.at(-1)).toBeCloseTo(judged.logE, 9);
    expect(judged.logE).not.toBe(0);
  });

  test('that by the mean of a sum too', () => {
    const compare = meanComparison(0.3, 5, 0.5);
    const logs = arms.map(compare);
    const shift = 5 / (1 - 0.5);
    const subjects = arms.flatMap(({ exposed, treated, control }) => [
      ...Array.from({ length: treated.harms }, () => 5 / exposed),
      ...Array.from({ length: control.harms }, () => -5 / (1 - exposed)),
      ...Array.from({ length: treated.events + control.events - treated.harms - control.harms }, () => 0),
    ]);
    const state = subjects.reduce((sum, z) => addValue(sum, z + shift, 0.3 + shift), EMPTY_SUM);
    const none = { subjects: 0, known: 0, total: '0' };
    const judged = judgeDifference(0.05, {
      more: 0.3,
      logs: addedLogs([state.logs.map(String)]),
      treated: none,
      control: none,
      over: 0,
      weight: 1,
      firedBefore: false,
    });
    expect(logs.at(-1)).toBeCloseTo(judged.logE, 5);
    expect(judged.logE).not.toBe(0);
  });
});
