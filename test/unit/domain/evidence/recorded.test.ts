import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JudgedFacts } from '../../../../src/domain/evidence/facts.ts';
import { judgeFacts } from '../../../../src/domain/evidence/judge-facts.ts';
import { recompute } from '../../../../src/domain/evidence/recorded.ts';
import { figures } from '../../../../src/records/figures.ts';

const bucket = fc
  .record({
    segment: fc.constantFrom('gold', '7'),
    build: fc.constantFrom('1', '2.5'),
    day: fc.nat(5),
    events: fc.nat(40),
    harms: fc.nat(40),
    known: fc.nat(40),
  })
  .map(({ harms, known, ...rest }) => ({
    ...rest,
    harms: Math.min(harms, rest.events),
    known: Math.min(known, rest.events),
  }));
const share = fc.double({ min: 0.001, max: 0.5, noNaN: true });
const facts: fc.Arbitrary<JudgedFacts> = fc.record({
  kind: fc.constantFrom('rate', 'pooled'),
  limit: share,
  alpha: share,
  weight: fc.oneof(share, fc.constant(0)),
  minSample: fc.nat(50),
  breachedBefore: fc.boolean(),
  matureBefore: fc.nat(5),
  builds: fc.constantFrom([], ['1'], ['1', '2.5']),
  buckets: fc.array(bucket, { maxLength: 8 }),
});
const asLogged = (given: JudgedFacts): Record<string, unknown> =>
  JSON.parse(JSON.stringify(figures({ ...given, ...judgeFacts(given) })));

test('what the log holds of a verdict gives it again, bit for bit', () => {
  fc.assert(
    fc.property(facts, (given) => {
      const found = recompute(asLogged(given));
      expect(found?.differences).toEqual([]);
      expect(found?.facts).toEqual(given);
    }),
  );
});

test.each([
  ['events', 1_000],
  ['logE', '0.1'],
  ['verdict', 'ok'],
  ['moreNeeded', 3],
])('a record whose %s was changed differs in it', (field, value) => {
  const given: JudgedFacts = {
    kind: 'rate',
    limit: 0.02,
    alpha: 0.05,
    weight: 0.4,
    minSample: 0,
    breachedBefore: false,
    matureBefore: 3,
    builds: ['1'],
    buckets: [{ segment: 'gold', build: '1', day: 0, events: 50, harms: 9, known: 50 }],
  };
  const differences = recompute({ ...asLogged(given), [field]: value })?.differences;
  expect(differences).toMatchObject([{ field, recorded: value }]);
});

test('an entry that lacks what it rests on is not judged', () => {
  expect(recompute({ verdict: 'ok' })).toBeUndefined();
});
