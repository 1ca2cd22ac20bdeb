import { describe, expect, test } from 'vitest';
import { trendOf } from '../../../../src/domain/evidence/trend.ts';

const day = (at: number, events: number, harms: number) => ({ day: at, events, harms });
const weekdayOf = (at: number) => at % 7;

describe('trendOf()', () => {
  // Weekday 0 is a bad one, at 20 %; all others at 2 %.
  const before = Array.from({ length: 28 }, (_, at) => day(at, 100, at % 7 === 0 ? 20 : 2));

  test('stands beside what the same weekdays did, so that a bad weekday alone is no trend', () => {
    const lately = [day(42, 50, 10), day(43, 50, 1)];
    expect(trendOf(lately, before, 43, weekdayOf)).toEqual({
      ...{ fromDay: 42, toDay: 43, events: 100, harms: 11, expected: 50 * 0.2 + 50 * 0.02, compared: 100 },
    });
    expect(trendOf([day(42, 300, 60)], before, 43, weekdayOf)).toMatchObject({ harms: 60, expected: 60 });
  });

  test('looks seven days back, and before the first day of the candidate only', () => {
    const candidate = [day(28, 100, 90), day(35, 10, 0), day(36, 10, 4), day(42, 10, 1)];
    const during = [...before, day(29, 100, 100)];
    expect(trendOf(candidate, during, 42, weekdayOf)).toMatchObject({
      ...{ fromDay: 36, toDay: 42, events: 20, harms: 5 },
      expected: 10 * 0.02 + 10 * 0.2,
    });
  });

  test('of a weekday without a before nothing is expected; without any there is none', () => {
    const mondays = before.filter(({ day: at }) => at % 7 === 1);
    expect(trendOf([day(42, 30, 3), day(43, 20, 2)], mondays, 43, weekdayOf)).toMatchObject({
      ...{ events: 50, harms: 5, expected: 0.4, compared: 20 },
    });
    expect(trendOf([day(42, 30, 3)], mondays, 43, weekdayOf)).toBeUndefined();
    expect(trendOf([], before, 43, weekdayOf)).toBeUndefined();
    expect(trendOf([day(30, 5, 0)], before, 43, weekdayOf)).toBeUndefined();
  });
});
