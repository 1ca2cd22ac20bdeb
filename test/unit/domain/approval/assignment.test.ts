import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  assign,
  isFilled,
  missingOf,
  type Need,
  type Supporter,
} from '../../../../src/domain/approval/assignment.ts';

const DESK: Need = { slot: '0/desk', count: 1 };
const LEGAL: Need = { slot: '0/legal', count: 1 };
const person = (name: string, ...slots: string[]): Supporter => ({ person: name, slots });
const placed = (needs: Need[], supporters: Supporter[]) => Object.fromEntries(assign(needs, supporters));

describe('assign()', () => {
  test('a person in two groups fills one of them only', () => {
    const needs = [DESK, LEGAL];
    const both = person('mia', '0/desk', '0/legal');
    expect(placed(needs, [both])).toEqual({ mia: '0/desk' });
    expect(placed(needs, [both, both])).toEqual({ mia: '0/desk' });
    expect(missingOf(needs, assign(needs, [both, both]))).toEqual([LEGAL]);
  });

  test('moves a person to their other group when somebody else can only fill the first', () => {
    const supporters = [person('mia', '0/desk', '0/legal'), person('leo', '0/desk')];
    expect(placed([DESK, LEGAL], supporters)).toEqual({ mia: '0/legal', leo: '0/desk' });
  });

  test('moves people along a chain of groups', () => {
    const needs = ['a', 'b', 'c'].map((slot) => ({ slot, count: 1 }));
    const supporters = [person('x', 'a', 'b'), person('y', 'b', 'c'), person('z', 'a'), person('late', 'a')];
    expect(placed(needs, supporters)).toEqual({ x: 'b', y: 'c', z: 'a' });
  });

  test('moves nobody while there is a free slot, and the first to come keep their places', () => {
    const needs = [{ slot: 'a', count: 2 }, LEGAL];
    const supporters = [
      person('x', 'a', '0/legal'),
      person('y', 'a'),
      person('z', 'a', '0/legal'),
      person('w', 'a'),
    ];
    expect(placed(needs, supporters)).toEqual({ x: 'a', y: 'a', z: '0/legal' });
  });

  test('fills only slots that are needed', () => {
    expect(placed([DESK], [person('mia', '1/desk'), person('leo')])).toEqual({});
    expect(placed([{ slot: 'a', count: 0 }], [person('mia', 'a')])).toEqual({});
  });
});

test('missingOf() says how many of which slot, isFilled() whether none', () => {
  const needs = [{ slot: 'a', count: 3 }, DESK];
  const assignment = assign(needs, [person('mia', 'a'), person('leo', 'a'), person('ann', '0/desk')]);
  expect(missingOf(needs, assignment)).toEqual([{ slot: 'a', count: 1 }]);
  expect(isFilled(needs, assignment)).toBe(false);
  expect(isFilled([], new Map())).toBe(true);
});

const SLOTS = ['a', 'b', 'c', 'd'];
const needsArb = fc.uniqueArray(
  fc.record({ slot: fc.constantFrom(...SLOTS), count: fc.integer({ min: 0, max: 2 }) }),
  {
    selector: ({ slot }) => slot,
  },
);
const supporterArb = fc.record({
  person: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6'),
  slots: fc.array(fc.constantFrom(...SLOTS), { maxLength: 3 }),
});
const supportersArb = fc.array(supporterArb, { maxLength: 6 });

/** The most people that can be placed, by trying everything. */
function bruteForce(needs: readonly Need[], supporters: readonly Supporter[]): number {
  const people = [...new Set(supporters.map((supporter) => supporter.person))];
  const slotsOf = (name: string) => supporters.filter((s) => s.person === name).flatMap(({ slots }) => slots);
  const most = (at: number, room: Readonly<Record<string, number>>): number => {
    const name = people[at];
    if (name === undefined) return 0;
    const taking = [...new Set(slotsOf(name))]
      .filter((slot) => (room[slot] ?? 0) > 0)
      .map((slot) => 1 + most(at + 1, { ...room, [slot]: (room[slot] ?? 0) - 1 }));
    return Math.max(most(at + 1, room), ...taking);
  };
  return most(0, Object.fromEntries(needs.map(({ slot, count }) => [slot, count])));
}

describe('whatever the needs and the supporters', () => {
  test('as many are placed as brute force finds, each once, none where they may not be, no slot overfull', () => {
    fc.assert(
      fc.property(needsArb, supportersArb, (needs, supporters) => {
        const assignment = assign(needs, supporters);
        expect(assignment.size).toBe(bruteForce(needs, supporters));
        for (const [name, slot] of assignment)
          expect(supporters.some((s) => s.person === name && s.slots.includes(slot))).toBe(true);
        for (const slot of SLOTS) {
          const count = needs.find((need) => need.slot === slot)?.count ?? 0;
          expect([...assignment.values()].filter((taken) => taken === slot).length).toBeLessThanOrEqual(
            count,
          );
        }
        const wanted = needs.reduce((sum, { count }) => sum + count, 0);
        expect(isFilled(needs, assignment)).toBe(assignment.size === wanted);
        const lacking = missingOf(needs, assignment).reduce((sum, { count }) => sum + count, 0);
        expect(lacking).toBe(wanted - assignment.size);
      }),
      { numRuns: 500 },
    );
  });

  test('another supporter never lowers the total, and a new one leaves everybody a place', () => {
    fc.assert(
      fc.property(needsArb, supportersArb, supporterArb, (needs, supporters, late) => {
        const before = assign(needs, supporters);
        const after = assign(needs, [...supporters, late]);
        expect(after.size).toBeGreaterThanOrEqual(before.size);
        if (supporters.some((known) => known.person === late.person)) return;
        for (const name of before.keys()) expect(after.has(name)).toBe(true);
      }),
    );
  });

  test('the order of the supporters does not change whether it is filled', () => {
    const shuffled = supportersArb.chain((supporters) =>
      fc.tuple(fc.constant(supporters), fc.shuffledSubarray(supporters, { minLength: supporters.length })),
    );
    fc.assert(
      fc.property(needsArb, shuffled, (needs, [supporters, other]) => {
        expect(isFilled(needs, assign(needs, other))).toBe(isFilled(needs, assign(needs, supporters)));
      }),
    );
  });
});
