import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { metricSourceSchema } from '../../../src/domain/metric-source.ts';
import {
  type Advanced,
  advance,
  type OtlpPoint,
  type OtlpSeries,
  totalsOf,
} from '../../../src/domain/otlp.ts';

const NOW_MS = Date.UTC(2026, 10, 30, 12);
const ns = (secondsAgo: number): bigint => BigInt(NOW_MS - secondsAgo * 1_000) * 1_000_000n;
const sourceOf = (otlp: object) => {
  const read = metricSourceSchema.parse({ otlp }).otlp;
  if (!read) throw new Error('no otlp');
  return read;
};
const COUNTERS = sourceOf({ events: 'calls', harms: 'failures' });
const HISTOGRAM = sourceOf({ events: 'seconds', above: 2.5 });

const counter = (total: number, more: Partial<OtlpPoint> = {}): OtlpPoint => ({
  name: 'calls',
  series: 's',
  exporter: 'e',
  attributes: {},
  resource: {},
  temporality: 'cumulative',
  start: ns(300),
  time: ns(60),
  value: { kind: 'counter', total },
  ...more,
});
const histogram = (
  bounds: number[],
  buckets: number[],
  count = buckets.reduce((sum, one) => sum + one, 0),
): OtlpPoint => counter(0, { name: 'seconds', value: { kind: 'histogram', count, bounds, buckets } });
const added = (known: OtlpSeries | undefined, point: OtlpPoint, exporterKnown = false) => {
  const totals = totalsOf(point, COUNTERS);
  if ('problem' in totals) throw new Error(totals.problem);
  return advance(known, point, totals, { nowMs: NOW_MS, exporterKnown });
};

describe('what a point says', () => {
  test('a counter counts events or harms by its name; a histogram both, by one of its bounds', () => {
    expect(totalsOf(counter(7), COUNTERS)).toEqual({ events: 7, harms: 0 });
    expect(totalsOf(counter(7, { name: 'failures' }), COUNTERS)).toEqual({ events: 0, harms: 7 });
    expect(totalsOf(histogram([1, 2.5, 5], [3, 4, 2, 1]), HISTOGRAM)).toEqual({ events: 10, harms: 3 });
    expect(totalsOf(histogram([2.5], [3, 4]), HISTOGRAM)).toEqual({ events: 7, harms: 4 });
  });

  test.each([
    ['no bucket ends there', histogram([1, 5], [3, 4, 2]), 'no bucket that ends at 2.5: its bounds are 1, 5'],
    ['it has no buckets', histogram([], []), 'its bounds are none'],
    [
      'it may fall',
      counter(1, { value: { kind: 'other', what: 'a sum that may fall' } }),
      'a sum that may fall',
    ],
    ['it says no temporality', counter(1, { temporality: 'none' }), 'delta or cumulative'],
    ['it is less than nothing', counter(-1), 'says -1'],
    ['it is no number', counter(Number.NaN), 'says NaN'],
    ['a bucket is less than nothing', histogram([2.5], [9, -4]), 'says -4'],
    ['its buckets are not its count', histogram([2.5], [3, 4], 9), 'a count of 9 and 7'],
    ['a counter has no values', counter(3, { name: 'seconds' }), '"above" is of a histogram'],
  ])('nothing where %s', (_, point, problem) => {
    const source = point.name === 'seconds' ? HISTOGRAM : COUNTERS;
    expect(totalsOf(point, source)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

describe('what a point adds', () => {
  test('of a cumulative series what came since the last one; one that is sent again nothing', () => {
    const first = added(undefined, counter(5));
    expect(first).toMatchObject({ added: { events: 5, harms: 0 } });
    const series = 'series' in first ? first.series : undefined;
    expect(added(series, counter(5))).toEqual({ repeated: true });
    expect(added(series, counter(4, { time: ns(90) }))).toEqual({ repeated: true });
    expect(added(series, counter(9, { time: ns(30) }))).toMatchObject({ added: { events: 4 } });
  });

  test('of one that began anew everything since, whether it says so or falls', () => {
    const known = { start: ns(300), time: ns(60), events: 50, harms: 0 };
    expect(added(known, counter(3, { time: ns(10) }))).toMatchObject({ added: { events: 3 } });
    expect(added(known, counter(70, { start: ns(30), time: ns(10) }))).toMatchObject({
      added: { events: 70 },
    });
  });

  test('of one that is old and new here nothing yet', () => {
    const old = added(undefined, counter(900, { start: ns(3_600) }));
    expect(old).toMatchObject({ added: { events: 0 } });
    expect(
      added('series' in old ? old.series : undefined, counter(902, { start: ns(3_600), time: ns(1) })),
    ).toMatchObject({
      added: { events: 2 },
    });
  });

  test('of one that is old and new here, from an exporter that was heard before, everything', () => {
    expect(added(undefined, counter(3, { start: ns(3_600) }), true)).toMatchObject({ added: { events: 3 } });
  });

  test('of one that two processes send as theirs nothing once they take turns', () => {
    const known = { start: ns(200), time: ns(60), events: 50, harms: 0 };
    for (const point of [
      counter(90, { start: ns(300), time: ns(10) }),
      counter(9, { start: ns(90), time: ns(10), temporality: 'delta' }),
    ])
      expect(added(known, point)).toEqual({ problem: expect.stringContaining('service.instance.id') });
  });

  test.each([
    ['tomorrow', -86_400, 'ahead of this clock'],
    ['two days ago', 172_800, 'more than a day late'],
  ])('nothing of %s', (_, ago, problem) => {
    expect(added(undefined, counter(1, { start: ns(ago + 10), time: ns(ago) }))).toEqual({
      problem: expect.stringContaining(problem),
    });
  });

  test('a clock that is some minutes ahead is let pass', () => {
    expect(added(undefined, counter(1, { time: ns(-240) }))).toMatchObject({ added: { events: 1 } });
  });

  test('however often and in whatever order points come, they never add up to more than was counted', () => {
    const increments = fc.array(fc.nat(20), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        increments,
        fc.array(fc.nat(11), { maxLength: 40 }),
        fc.boolean(),
        (steps, order, isDelta) => {
          let total = 0;
          const points = steps.map((step, n) => {
            total += step;
            return counter(isDelta ? step : total, {
              start: isDelta ? ns(210 - n * 10) : ns(300),
              time: ns(200 - n * 10),
              temporality: isDelta ? 'delta' : 'cumulative',
            });
          });
          let [known, sum]: [OtlpSeries | undefined, number] = [undefined, 0];
          for (const at of order) {
            const point = points[at % points.length];
            const next: Advanced | undefined = point && added(known, point);
            if (!next || !('series' in next)) continue;
            known = next.series;
            sum += next.added.events;
          }
          expect(sum).toBeLessThanOrEqual(total);
        },
      ),
    );
  });
});
