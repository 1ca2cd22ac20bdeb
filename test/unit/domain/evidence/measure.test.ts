import { describe, expect, test } from 'vitest';
import { metricSchema } from '../../../../src/domain/agent.ts';
import {
  countsFrom,
  harmLimit,
  metricProblems,
  unjudgeable,
  valueProblem,
  weighed,
} from '../../../../src/domain/evidence/measure.ts';
import { worstOf } from '../../../../src/domain/evidence/pair.ts';

const metric = (more: object = {}) =>
  metricSchema.parse({ unit: 'conversation', business: 'workload', ...more });

describe('what a reported value weighs', () => {
  test.each([
    [{}, [0, 0], [0.001, 1], [-1, 0]],
    [{ above: 2.5 }, [2.5, 0], [2.6, 1]],
    [{ kind: 'first', above: 2.5 }, [2.5, 0], [90, 1]],
    [{ direction: 'higher' }, [1, 0], [0.999, 1], [0, 1]],
    [{ direction: 'higher', below: 4 }, [4, 0], [3, 1]],
    [{ kind: 'sum' }, [0, 0], [3.25, 3.25]],
    [{ kind: 'ratio' }, [0, 0], [3.25, 3.25]],
  ] as [object, ...[number, number][]][])('%j', (more, ...pairs) => {
    for (const [value, weight] of pairs)
      expect([value, weighed(metric(more), value)]).toEqual([value, weight]);
  });

  test('where higher is better the limit is what is left of one, without the dust of a float', () => {
    expect(harmLimit(metric({ direction: 'higher' }), 0.9)).toBe(0.1);
    expect(harmLimit(metric(), 0.9)).toBe(0.9);
  });

  test('a proposal counts from when it is asked, and only in a metric of denials', () => {
    expect(countsFrom(metric({ denials: true }), true)).toBe('asked');
    expect(countsFrom(metric({ denials: true }), false)).toBe('begun');
    expect(countsFrom(metric(), true)).toBe('begun');
    expect(countsFrom(metric({ kind: 'first' }), true)).toBe('first');
    expect(countsFrom(metric({ kind: 'sum' }), true)).toBe('sum');
  });
});

test('nothing is compared with control of which no harmful subjects are known', () => {
  const source = { http: { url: 'https://x.example.com/{release}' } };
  const compared = { limit: 0.1, control: { ratio: 2 } };
  expect(unjudgeable(metric({ source }), compared)).toEqual([
    expect.stringContaining('a source knows no subjects'),
  ]);
  expect(unjudgeable(metric({ kind: 'sum' }), compared)).toEqual([
    expect.stringContaining('a sum has no harmful'),
  ]);
  const more = { limit: 0.1, control: { more: 1 } };
  expect(unjudgeable(metric({ kind: 'sum' }), more)).toEqual([expect.stringContaining('by its "cap"')]);
  expect(unjudgeable(metric({ kind: 'sum', cap: 4 }), more)).toEqual([]);
  expect(unjudgeable(metric(), more)).toEqual([expect.stringContaining('only a sum')]);
  expect(unjudgeable(metric({ kind: 'ratio' }), more)).toEqual([expect.stringContaining('a ratio is not')]);
  expect(unjudgeable(metric(), compared)).toEqual([]);
});

test('of what is judged together the worse counts, and what nobody judged is none', () => {
  expect(worstOf(['ok', 'ok'])).toBe('ok');
  expect(worstOf(['ok', 'inconclusive'])).toBe('inconclusive');
  expect(worstOf(['source-down', 'no-data', 'ok'])).toBe('source-down');
  expect(worstOf(['ok', 'breach', 'source-down'])).toBe('breach');
  expect(worstOf(['ok', undefined])).toBe('no-data');
});

describe('what is refused', () => {
  test.each([
    [{ kind: 'sum', direction: 'higher' }, ['direction']],
    [{ kind: 'sum', above: 1 }, ['above']],
    [{ direction: 'higher', above: 1 }, ['above']],
    [{ below: 1 }, ['below']],
    [{ cap: 1 }, ['cap']],
    [{ kind: 'first', corrections: true, denials: true }, ['corrections', 'denials']],
    [{ kind: 'sum', corrections: true }, ['corrections']],
    [{ kind: 'sum', cap: 3 }, []],
    [{ kind: 'ratio', direction: 'higher', below: 1, denials: true }, ['direction', 'below', 'denials']],
    [{ kind: 'ratio', cap: 3, perMax: 5 }, []],
    [{ kind: 'sum', perMax: 5 }, ['perMax']],
    [{ direction: 'higher', below: 4 }, []],
  ])('%j: %j', (more, fields) => {
    expect(metricProblems(metric(more)).map(({ field }) => field)).toEqual(fields);
  });

  test('a ratio without what it is set against, and a share that is set against anything', () => {
    const ratio = metric({ kind: 'ratio', perMax: 4 });
    expect(valueProblem(ratio, 1)).toContain('a ratio needs "per"');
    for (const per of [-1, 4.01, Number.NaN])
      expect(valueProblem(ratio, 1, per)).toContain('from 0 to 4, not');
    for (const per of [0, 4]) expect(valueProblem(ratio, 1, per)).toBeUndefined();
    expect(valueProblem(metric({ kind: 'ratio' }), 1, 2)).toContain('from 0 to 1');
    expect(valueProblem(ratio, -1, 1)).toContain('a ratio takes values from 0');
    expect(valueProblem(metric(), 1, 1)).toContain('a metric of kind ratio only');
  });

  test('a value that no sum can be made of', () => {
    for (const value of [-0.1, 1e16, Number.NaN, Number.POSITIVE_INFINITY])
      expect(valueProblem(metric({ kind: 'sum' }), value)).toContain('a sum takes values from 0');
    expect(valueProblem(metric({ kind: 'sum' }), 1e15)).toBeUndefined();
    expect(valueProblem(metric(), -3)).toBeUndefined();
  });

  test.each([
    [{}, 0.02, true],
    [{}, 1, false],
    [{ direction: 'higher' }, 0.9, true],
    [{ direction: 'higher' }, 1, false],
    [{}, { baseline: { margin: 0.5 } }, true],
    [{ kind: 'sum' }, 120, true],
    [{ kind: 'sum' }, 1e-12, false],
    [{ kind: 'sum' }, { baseline: { margin: 0.5 } }, false],
  ])('%j with a limit of %j: can it act? %j', (more, limit, can) => {
    expect(unjudgeable(metric(more), { limit }).length === 0).toBe(can);
  });
});
