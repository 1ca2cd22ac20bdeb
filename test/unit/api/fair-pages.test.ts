import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fairPages } from '../../../src/api/fair-pages.ts';

const PAGE = 200;

/** Serves one turn as the streams do. */
function turn(readers: { after: number; servedIn: number }[], n: number, most: number): void {
  for (const { from, readers: served } of fairPages(readers, PAGE, most))
    for (const reader of served) {
      expect(reader.after).toBeGreaterThanOrEqual(from);
      expect(reader.after).toBeLessThan(from + PAGE);
      reader.after = from + PAGE;
      reader.servedIn = n;
    }
}

test('whoever is behind is served in turn, wherever the others stand, and goes forward', () => {
  const places = fc.array(fc.nat(50_000), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(places, fc.integer({ min: 1, max: 8 }), (afters, most) => {
      const readers = afters.map((after) => ({ after, servedIn: 0 }));
      const rounds = Math.ceil(readers.length / most);
      for (let round = 0; round < 3; round++) {
        const before = readers.map(({ after }) => after);
        for (let n = 1; n <= rounds; n++) turn(readers, round * rounds + n, most);
        for (const [index, { after }] of readers.entries()) expect(after).toBeGreaterThan(before[index] ?? 0);
      }
    }),
  );
});

test('those who stand at the same place share a page', () => {
  const readers = [0, 0, 150, 5_000].map((after) => ({ after, servedIn: 0 }));
  expect(fairPages(readers, PAGE, 8).map(({ from, readers: all }) => [from, all.length])).toEqual([
    [0, 3],
    [5_000, 1],
  ]);
});

test('no more pages are read in a turn than were asked for', () => {
  const readers = [0, 1_000, 2_000, 3_000].map((after) => ({ after, servedIn: 0 }));
  expect(fairPages(readers, PAGE, 3)).toHaveLength(3);
  expect(fairPages([], PAGE, 3)).toEqual([]);
});
