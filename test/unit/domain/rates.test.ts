import { describe, expect, test } from 'vitest';
import { formatProblems, readRates } from '../../../src/domain/manifest/manifest.ts';
import { checkRates, costOf, costText, type Rates } from '../../../src/domain/rates.ts';
import { agentOf } from './manifest/fixtures.ts';

const YAML = `agent: desk
currency: EUR
owner: olga
rates:
  - { metric: wrong, amount: 40, validFrom: 2026-01-01, reason: two calls }
  - { metric: wrong, amount: 55, validFrom: 2026-07-01, reason: new contract }
`;
const read = (text: string) => {
  const result = readRates('rates.yaml', text);
  return result.ok ? 'valid' : formatProblems(result.problems);
};
const rates: Rates = {
  agent: 'desk',
  currency: 'EUR',
  owner: 'olga',
  rates: [
    { metric: 'wrong', amount: 55, validFrom: '2026-07-01', reason: 'new contract' },
    { metric: 'wrong', amount: 40, validFrom: '2026-01-01', reason: 'two calls' },
  ],
};

test('rates are read, and what is wrong is said with its line', () => {
  expect(read(YAML)).toBe('valid');
  expect(read(YAML.replace('EUR', 'euro'))).toContain('rates.yaml:2:11 "currency"');
  expect(read(YAML.replace('40', '-1'))).toContain('rates.yaml:5:30 "amount" is too small');
  expect(read(YAML.replace('2026-01-01', 'soon'))).toContain('rates.yaml:5:45 "validFrom"');
});

test('what the agent does not know is refused, and two rates from one day on', () => {
  const agent = agentOf({ metrics: { wrong: { unit: 'conversation', business: 'workload' } } });
  expect(checkRates(rates, agent)).toEqual([]);
  const twice = { ...rates, owner: 'olag', rates: [...rates.rates, ...rates.rates.slice(1)] };
  expect(checkRates(twice, agent).map(({ message }) => message)).toEqual([
    '"olag" is not one of people',
    'Metric "wrong" has two rates from 2026-01-01 on',
  ]);
  const [first] = rates.rates;
  const other = { ...rates, rates: [{ ...(first as Rates['rates'][number]), metric: 'wrnog' }] };
  expect(checkRates(other, agent)[0]).toMatchObject({ message: 'There is no metric "wrnog"' });
});

describe('what harm costs', () => {
  const at = (day: string, count: number) => ({ at: new Date(`${day}T12:00:00Z`), count });

  test('is by the rate of its day, with every figure it is made of', () => {
    const cost = costOf(rates, 'wrong', [
      at('2026-06-30', 2),
      at('2026-07-01', 1),
      at('2026-08-01', 3),
      at('2026-09-01', 0),
    ]);
    expect(cost).toEqual({
      amount: 2 * 40 + 4 * 55,
      currency: 'EUR',
      inputs: ['2 x 40 EUR (olga, from 2026-01-01)', '4 x 55 EUR (olga, from 2026-07-01)'],
    });
    expect(cost && costText(cost)).toBe(
      '300 EUR: 2 x 40 EUR (olga, from 2026-01-01) + 4 x 55 EUR (olga, from 2026-07-01)',
    );
  });

  test('before any rate costs nothing, and is said', () => {
    expect(costOf(rates, 'wrong', [at('2025-12-31', 5)])).toEqual({
      amount: 0,
      currency: 'EUR',
      inputs: ['5 before any rate'],
    });
  });

  test('is not known where nobody declared it', () => {
    expect(costOf(rates, 'slow', [at('2026-08-01', 5)])).toBeUndefined();
    expect(costOf(undefined, 'wrong', [at('2026-08-01', 5)])).toBeUndefined();
    expect(costOf(rates, 'wrong', [])).toMatchObject({ amount: 0, inputs: [] });
  });
});
