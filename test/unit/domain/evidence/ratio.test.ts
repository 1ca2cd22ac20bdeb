import { expect, test } from 'vitest';
import { breachText } from '../../../../src/domain/evidence/facts.ts';
import { ratioText } from '../../../../src/domain/evidence/ratio.ts';

test.each([
  ['0.31', 'EUR per search', '0.31 EUR per search'],
  ['0.31', 'USD/case', '0.31 USD/case'],
  // A word that has "per" in it is no quotient.
  ['0.31', 'paper', '0.31 paper for each one done'],
  ['0.31', 'per search', '0.31 per search'],
  ['0.31', undefined, '0.31 for each one done'],
  [null, 'EUR per search', 'spent, and nothing done for it,'],
])('ratioText(%s, %s)', (figure, unit, text) => {
  expect(ratioText(figure, unit)).toBe(text);
});

test('a breach of a ratio says what it came to, that of a sum what it always did', () => {
  const judged = { verdict: 'breach', eValue: 41, estimate: 0.31, metric: 'cost', limit: 0.2 } as const;
  expect(breachText({ ...judged, unit: 'EUR per search', sums: { perMax: 1 } })).toBe(
    'cost: 0.31 EUR per search where 0.2 is the limit (e-value 41.00)',
  );
  expect(breachText({ ...judged, sums: {} })).toBe('cost above its limit of 0.2 (e-value 41.00)');
});
