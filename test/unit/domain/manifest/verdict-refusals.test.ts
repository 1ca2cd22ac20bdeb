import { expect, test } from 'vitest';
import { checkRelease } from '../../../../src/domain/manifest/check-release.ts';
import { agentOf, releaseOf } from './fixtures.ts';

const agent = agentOf({
  metrics: {
    wrong: { unit: 'conversation', business: 'workload' },
    cost: { unit: 'EUR', business: 'unit cost', kind: 'sum' },
  },
});
const problemsOf = (guardrail: object, gate: object = {}): string[] =>
  checkRelease(
    releaseOf([{ tool: 'lookup' }], {
      rollout: {
        guardrails: [{ limit: 0.1, reason: 'x', ...guardrail }],
        constrained: [{ days: 30, exposure: { '*': 100 }, gate }],
      },
    }),
    agent,
  )
    .map(({ message }) => message)
    .filter((message) => message.startsWith('Guardrail'));

test('what a verdict does is refused of what only reports', () => {
  expect(problemsOf({ metric: 'wrong', action: 'report', on: { breach: 'hold' } })).toEqual([
    'Guardrail "wrong" only reports: what a verdict does has no effect',
  ]);
  expect(problemsOf({ metric: 'wrong', on: { breach: 'hold' } })).toEqual([]);
});

test('what can never be ok may pass where the guardrail says so, and never wait for it', () => {
  const never =
    'Guardrail "cost" can never be ok, and a step waits until it is: a sum without a cap proves nothing';
  const quiet = { verdicts: 'no-breach' };
  expect(problemsOf({ metric: 'cost' }, { verdicts: 'ok' })).toEqual([never]);
  expect(problemsOf({ metric: 'cost', on: { inconclusive: 'pass' } }, { verdicts: 'ok' })).toEqual([]);
  expect(problemsOf({ metric: 'cost', on: { inconclusive: 'wait' } }, quiet)).toEqual([never]);
});
