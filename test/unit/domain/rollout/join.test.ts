import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changedSegments, stepsWith, wholeFrom } from '../../../../src/domain/rollout/join.ts';
import { boundsAt, planSegments, planSteps } from '../../../../src/domain/rollout/steps.ts';
import { type RolloutPlan, rolloutSchema } from '../../../../src/domain/rollout-plan.ts';

const planOf = (plan: Record<string, unknown> = {}): RolloutPlan => rolloutSchema.parse(plan);
const gold = { name: 'gold', representative: true };
const segmentsOf = (...names: string[]) =>
  planSegments({ segments: [gold, ...names.map((name) => ({ name, representative: true }))] });

const joinedIn = (plan: RolloutPlan, stepIndex: number) =>
  stepsWith(planSteps(plan, segmentsOf()), {
    ...{ segment: 'vip', stepIndex },
    planned: planSteps(plan, segmentsOf('vip')),
  });
const sharesOf = (steps: ReturnType<typeof joinedIn>, segment = 'vip') =>
  steps.map(({ exposure }) => (exposure[segment] ?? 0) / 100);

const LADDER = planOf({
  constrained: [
    { days: 10, exposure: { '*': 5 }, tools: ['look'], limits: { perHour: 3 } },
    { days: 20, exposure: { '*': 25 } },
  ],
  scale: [
    { days: 15, exposure: { '*': 50 } },
    { days: 15, exposure: { '*': 100 } },
  ],
});

describe('stepsWith()', () => {
  test('one that comes before anything is exposed takes the steps that the release plans for it', () => {
    const steps = joinedIn(LADDER, 0);
    expect(steps).toEqual(planSteps(LADDER, segmentsOf('vip')));
  });

  test('one that comes later begins with the next step at the first share, and the plan goes on until it had all', () => {
    const steps = joinedIn(LADDER, 3);
    expect(sharesOf(steps)).toEqual([0, 0, 0, 0, 5, 25, 50, 100]);
    expect(sharesOf(steps, 'gold')).toEqual([0, 5, 25, 50, 100, 100, 100, 100]);
    expect(steps.map(({ index, fromDay, toDay }) => [index, fromDay, toDay]).slice(-3)).toEqual([
      [5, 90, 105],
      [6, 105, 120],
      [7, 120, 135],
    ]);
    expect(steps.at(-1)?.gate).toEqual(steps[4]?.gate);
  });

  test('it is held to what the step of its share holds to, the others to their own', () => {
    const steps = joinedIn(LADDER, 3);
    const bounds = (segment: string) =>
      steps.slice(4).map((step) => {
        const { writes, tools, limits } = boundsAt(step, segment) ?? {};
        return { writes, tools, limits };
      });
    expect(bounds('vip')).toEqual([
      { writes: 'ask', tools: ['look'], limits: { perHour: 3 } },
      { writes: 'ask' },
      { writes: 'as-granted' },
      { writes: 'as-granted' },
    ]);
    expect(bounds('gold')).toEqual(Array(4).fill({ writes: 'as-granted' }));
  });

  test('in the last step too it is exposed only by steps of its own', () => {
    expect(sharesOf(joinedIn(LADDER, 4))).toEqual([0, 0, 0, 0, 0, 5, 25, 50, 100]);
  });

  test('a segment that the release exposes nowhere stays at 0, and nothing follows', () => {
    const plan = planOf({
      constrained: [{ days: 1, exposure: { gold: 5 } }],
      scale: [{ days: 1, exposure: { gold: 100 } }],
    });
    expect(sharesOf(joinedIn(plan, 1))).toEqual([0, 0, 0]);
  });

  test('whatever comes when: nothing is exposed at once, no share is left out or falls, and the others keep theirs', () => {
    const shares = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 5 });
    const comings = fc.array(fc.nat(8), { maxLength: 4 });
    fc.assert(
      fc.property(shares, comings, (percents, at) => {
        const ladder = [...percents].sort((a, b) => a - b);
        const plan = planOf({
          constrained: ladder.map((percent) => ({ days: 1, exposure: { '*': percent } })),
          scale: [{ days: 1, exposure: { '*': 100 } }],
        });
        let steps = planSteps(plan, segmentsOf());
        const known: string[] = [];
        for (const [n, come] of at.sort((a, b) => a - b).entries()) {
          const segment = `later-${n}`;
          const stepIndex = Math.min(come, steps.length - 1);
          known.push(segment);
          const before = steps;
          const planned = planSteps(plan, segmentsOf(...known));
          steps = stepsWith(before, { segment, stepIndex, planned });
          const own = sharesOf(steps, segment);
          expect(own.slice(0, stepIndex + 1).every((share) => share === 0)).toBe(true);
          expect(own).toEqual([...own].sort((a, b) => a - b));
          expect([...new Set(own)].filter((share) => share > 0)).toEqual([...ladder, 100]);
          for (const [index, step] of steps.entries())
            for (const other of ['gold', 'default', ...known.slice(0, -1)])
              expect(step.exposure[other]).toBe((before[index] ?? before.at(-1))?.exposure[other]);
          expect(steps.map(({ index }) => index)).toEqual(steps.map((_, index) => index));
        }
      }),
    );
  });
});

test('a segment that joined is itself from its next whole day on, and so is default since the last one', () => {
  const joined = [
    { segment: 'vip', day: 3, stepIndex: 0 },
    { segment: 'new', day: 40, stepIndex: 2 },
  ];
  expect(['vip', 'new', 'default', 'gold'].map((segment) => wholeFrom(joined, segment))).toEqual([
    ...[4, 41, 41, 0],
  ]);
  expect(changedSegments(joined)).toEqual([
    { segment: 'vip', from: 4 },
    { segment: 'new', from: 41 },
    { segment: 'default', from: 41 },
  ]);
  expect(changedSegments(undefined)).toEqual([]);
});
