import { describe, expect, test } from 'vitest';
import { planSegments, planSteps, testGroupOf } from '../../../../src/domain/rollout/steps.ts';
import { type RolloutPlan, rolloutSchema } from '../../../../src/domain/rollout-plan.ts';

const planOf = (plan: Record<string, unknown> = {}): RolloutPlan => rolloutSchema.parse(plan);
const segments = planSegments({
  segments: [
    { name: 'gold', representative: true },
    { name: 'test', representative: false },
  ],
});

describe('planSteps()', () => {
  test('fills a plan that says nothing: 30 days nobody, the test group at 10 and 25 %, everyone at 50 and 100 %', () => {
    const steps = planSteps(planOf(), segments);
    expect(steps.map(({ phase, fromDay, toDay, exposure }) => [phase, fromDay, toDay, exposure])).toEqual([
      ['baseline', 0, 30, { gold: 0, test: 0, default: 0 }],
      ['constrained', 30, 45, { gold: 0, test: 1_000, default: 0 }],
      ['constrained', 45, 60, { gold: 0, test: 2_500, default: 0 }],
      ['scale', 60, 75, { gold: 5_000, test: 5_000, default: 5_000 }],
      ['scale', 75, 90, { gold: 10_000, test: 10_000, default: 10_000 }],
    ]);
    expect(steps.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
  });

  test('asks for no-breach up to the last constrained gate, and for ok from there on', () => {
    expect(planSteps(planOf(), segments).map(({ gate }) => gate.verdicts)).toEqual([
      'no-breach',
      'no-breach',
      'ok',
      'ok',
      'ok',
    ]);
  });

  test('keeps what a gate says itself', () => {
    const gate = { sample: 7, verdicts: 'no-breach', checklist: ['ask Max'], approve: false };
    const [, step] = planSteps(planOf({ constrained: [{ days: 1, exposure: { test: 1 }, gate }] }), segments);
    expect(step?.gate).toEqual({ ...gate, remindAfter: '2d', escalateAfter: '7d', expireAfter: '21d' });
  });

  test('carries exposure over for a segment that a step does not name, "*" is every other', () => {
    const scale = [
      { days: 1, exposure: { gold: 12.34, '*': 5 } },
      { days: 1, exposure: { test: 50 } },
      { days: 1, exposure: { '*': 100 } },
    ];
    expect(
      planSteps(planOf({ scale }), segments)
        .slice(-3)
        .map(({ exposure }) => exposure),
    ).toEqual([
      { gold: 1_234, test: 500, default: 500 },
      { gold: 1_234, test: 5_000, default: 500 },
      { gold: 10_000, test: 10_000, default: 10_000 },
    ]);
  });
});

describe('testGroupOf()', () => {
  test('is the first segment that is not representative, else the first', () => {
    expect(testGroupOf(segments)).toBe('test');
    expect(testGroupOf(planSegments({ segments: [{ name: 'gold', representative: true }] }))).toBe('gold');
    expect(testGroupOf(planSegments({ segments: [] }))).toBe('default');
  });
});
