import { describe, expect, test } from 'vitest';
import { controlsOf } from '../../../../src/domain/business/controls.ts';
import type { BusinessCounts } from '../../../../src/domain/business/counts.ts';
import { inSegment } from '../../../../src/domain/business/counts.ts';
import { figureText } from '../../../../src/domain/business/figure.ts';
import { businessSet } from '../../../../src/domain/business/figures.ts';
import { beforeText, figuresOf } from '../../../../src/domain/business/words.ts';
import { COUNTS, METRICS, RATES, reported, tasks, writes } from './given.ts';

const whole = businessSet(COUNTS, { metrics: METRICS, rates: RATES });

describe('business figures', () => {
  test('completion is over tasks started: what is open, handed over or called wrong stays in', () => {
    expect(whole.completion).toMatchObject({ value: 0.7, unknown: [] });
    expect(whole.completion.inputs.join('; ')).toContain('28 tasks right of 40 started');
  });

  test('minutes of people: answers as measured, mending and taking over as declared', () => {
    // 30 answers of a minute, 2 corrections of 12, 5 hand-overs of 8: 94 minutes over 50 executed writes
    expect(whole.correction).toMatchObject({ value: 188, unit: 'minutes per 100 writes', unknown: [] });
    expect(whole.correction.inputs).toEqual([
      '30 minutes over 30 answers',
      '2 corrections x 12 minutes, as declared',
      '5 hand-overs x 8 minutes, as declared',
      '50 writes executed',
    ]);
  });

  test('customers wait: minutes, turns and hand-overs per task that stayed right', () => {
    expect(whole.effort.waiting.value).toBeCloseTo(60 / 28);
    expect(whole.effort.turns.value).toBe(10);
    expect(whole.effort.handOvers.value).toBe(5 / 40);
  });

  test('a task that stayed right costs model, tools, people and declared harm, and says of what', () => {
    // 100 x 0.5 + 280 x 0.1 + 94 x 1 + 1 x 60 over 28
    expect(whole.cost.value).toBeCloseTo((50 + 28 + 94 + 60) / 28);
    expect(whole.cost.inputs).toEqual([
      'Model: 50 USD: 100 x 0.5 USD (olga, from 2025-01-01)',
      'Tools: 28 USD: 280 x 0.1 USD (olga, from 2025-01-01)',
      'People (minutes): 94 USD: 94 x 1 USD (olga, from 2025-01-01)',
      'Harm (wrong-cancellation): 60 USD: 1 x 60 USD (olga, from 2025-01-01)',
      '28 right tasks',
    ]);
    expect(whole.cost.signal).toContain('per executed write');
  });

  test('cost per call can fall while that of a task that stays right rises', () => {
    // Half the price a call, twice the calls, fewer right tasks.
    const [write] = COUNTS.writes;
    const cheaper: BusinessCounts = {
      writes: [{ ...(write ?? writes({})), executed: 200 }],
      tasks: [tasks({ started: 40, done: 20, right: 14 })],
      metrics: COUNTS.metrics,
    };
    const set = businessSet(cheaper, { metrics: METRICS, rates: RATES });
    expect(set.cost.value ?? 0).toBeGreaterThan(whole.cost.value ?? 0);
    expect(Number.parseFloat(set.cost.signal)).toBeLessThan(Number.parseFloat(whole.cost.signal));
  });

  test('what is not known is said and is never 0', () => {
    const nothing = businessSet({ writes: [], tasks: [], metrics: [] }, { metrics: {}, rates: undefined });
    for (const figure of figuresOf(nothing)) {
      expect(figure.value).toBeNull();
      expect(figure.unknown).not.toEqual([]);
      expect(figureText(figure)).toBe('unknown');
    }
  });

  test('what is known in part is at least so much', () => {
    const { work: _, ...unpaid } = RATES;
    const set = businessSet(COUNTS, { metrics: METRICS, rates: unpaid });
    expect(figureText(set.correction)).toBe('at least 60 minutes per 100 writes');
    expect(set.correction.unknown).toEqual([
      'the minutes of 2 corrections: no rates declare work.correction',
      'the minutes of 5 hand-overs: no rates declare work.handOver',
    ]);
    expect(set.cost.unknown).toEqual(['people: no rates declare work.perMinute']);
    const unmeasured = businessSet({ ...COUNTS, metrics: [] }, { metrics: METRICS, rates: RATES });
    expect(unmeasured.effort.turns).toMatchObject({
      value: null,
      unknown: ['nothing of turns was reported'],
    });
    expect(unmeasured.cost.unknown).toContain('model: nothing of tokens was reported');
  });

  test('an answer whose time is not known is not taken for no time', () => {
    const [write] = COUNTS.writes;
    const untimed = { ...COUNTS, writes: [{ ...(write ?? writes({})), untimed: 7 }] };
    const set = businessSet(untimed, { metrics: METRICS, rates: RATES });
    expect(set.correction.unknown).toEqual(['the time of 7 answers']);
    expect(figureText(set.correction)).toMatch(/^at least /);
  });

  test('segments are told apart, and add up', () => {
    const both: BusinessCounts = {
      ...COUNTS,
      tasks: [...COUNTS.tasks, tasks({ segment: 'silver', started: 10, done: 9, right: 9 })],
      metrics: [...COUNTS.metrics, reported('turns', { segment: 'silver', n: 10, total: 20 })],
    };
    const of = (segment: string) =>
      businessSet(inSegment(both, segment), { metrics: METRICS, rates: RATES }).completion.value;
    expect([of('gold'), of('silver')]).toEqual([0.7, 0.9]);
    expect(businessSet(both, { metrics: METRICS, rates: RATES }).completion.value).toBeCloseTo(37 / 50);
  });

  test('before and after moved together', () => {
    expect(beforeText(whole.completion, whole.completion)).toContain('not shown to be caused');
    const unknown = businessSet({ writes: [], tasks: [], metrics: [] }, { metrics: {}, rates: undefined });
    expect(beforeText(whole.completion, unknown.completion)).toContain('unknown');
  });
});

describe('controls', () => {
  test('harm stopped stands beside friction', () => {
    const [control, ...more] = controlsOf(COUNTS, { metrics: METRICS, rates: RATES });
    expect(more).toEqual([]);
    expect(control).toMatchObject({
      tool: 'cancel',
      stopped: {
        writes: 4,
        amount: 240,
        text: '4 writes refused; 240 USD: 4 x 60 USD (olga, from 2025-01-01)',
      },
      friction: { waitedMinutes: 60, approverMinutes: 30, amount: 30, overBlocked: 1 },
      deniedByPolicy: 3,
    });
  });

  test('without a rate the harm is not known, and not free', () => {
    const [control] = controlsOf(COUNTS, { metrics: METRICS, rates: undefined });
    expect(control?.stopped).toMatchObject({ writes: 4, amount: null });
    expect(control?.stopped.text).toContain('not declared');
  });
});
