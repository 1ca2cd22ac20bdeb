import { expect, test } from 'vitest';
import { slopePerMinute } from '../../../bench/memory.ts';

const line = (perMinute: number, noise: (n: number) => number) =>
  Array.from({ length: 120 }, (_, n) => ({
    atMs: n * 5_000,
    value: 1_000 + (perMinute * n * 5) / 60 + noise(n),
  }));

test('what rises is told by how much a minute, also where it saws', () => {
  expect(slopePerMinute(line(50, () => 0))).toBeCloseTo(50);
  expect(slopePerMinute(line(-3, () => 0))).toBeCloseTo(-3);
  expect(slopePerMinute(line(50, (n) => (n % 2) * 400))).toBeCloseTo(50, -1);
  expect(Math.abs(slopePerMinute(line(0, (n) => (n % 5) * 100)))).toBeLessThan(5);
  expect(slopePerMinute([{ atMs: 0, value: 1 }])).toBe(0);
});
