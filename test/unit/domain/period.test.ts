import { expect, test } from 'vitest';
import { daysOf, periodOf } from '../../../src/domain/period.ts';

const NOW = new Date('2026-03-01T00:00:00Z');
const DAY_MS = 86_400_000;

test('a duration before its end, or two instants', () => {
  expect(periodOf({ since: '30d' }, NOW, DAY_MS)).toEqual({
    since: new Date('2026-01-30T00:00:00Z'),
    until: NOW,
  });
  const january = periodOf({ since: '2026-01-01', until: '2026-02-01T00:00:00Z' }, NOW, DAY_MS);
  expect(daysOf(january, DAY_MS)).toBe(31);
});

test('days are those of the installation', () => {
  expect(periodOf({ since: '30d' }, NOW, 1_000).since).toEqual(new Date(NOW.getTime() - 30_000));
});

test.each([
  ['nonsense', undefined],
  ['', undefined],
  ['0d', undefined],
  ['400d', undefined],
  ['5', undefined],
  ['2026-13-01', undefined],
  ['0001-01-01', undefined],
  ['2026-02-01', '2026-01-01'],
  ['1d', '2026-03-02'],
  ['1d', 'soon'],
])('no period: since %s, until %s', (since, until) => {
  expect(() => periodOf({ since, until }, NOW, DAY_MS)).toThrow(RangeError);
});
