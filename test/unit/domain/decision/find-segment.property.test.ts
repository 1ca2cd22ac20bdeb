import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileCondition } from '../../../../src/domain/cel/cel.ts';
import { compileAgent } from '../../../../src/domain/decision/compile.ts';
import { decide } from '../../../../src/domain/decision/decide.ts';
import { agentOf } from '../manifest/fixtures.ts';

const ATTRIBUTES = { tier: 'string', region: 'string', seats: 'int' } as const;
const CONDITIONS = [
  'context.tier == "gold"',
  'context.tier == "silver"',
  'context.tier == "constructor"',
  'context.region == "gold"',
  'context.seats > 3',
  'context.tier != "gold" && context.region == "eu"',
  '10 / context.seats > 4',
];
const text = fc.constantFrom('gold', 'silver', 'eu', 'constructor', '', '__proto__');
const context = fc.record({ tier: text, region: text, seats: fc.integer({ min: -1, max: 5 }) });
const conditions = fc.array(fc.constantFrom(...CONDITIONS), { maxLength: 6 });

/** The list gone through one after the other, as the manifest reads. */
function firstThatMatches(whens: readonly string[], values: Readonly<Record<string, unknown>>) {
  for (const [at, when] of whens.entries()) {
    const condition = compileCondition(when, { attributes: ATTRIBUTES, lists: {} });
    const truth = condition.ok ? condition.evaluate({ context: values }) : 'error';
    if (truth !== 'false') return { name: `s${at}`, failed: truth === 'error' };
  }
  return { name: 'default', failed: false };
}

test('every request falls in the first segment that matches, however its conditions are written', () => {
  fc.assert(
    fc.property(conditions, context, (whens, values) => {
      const segments = whens.map((when, at) => ({ name: `s${at}`, when }));
      const compiled = compileAgent(agentOf({ attributes: ATTRIBUTES, segments }));
      const expected = firstThatMatches(whens, values);
      const { segment, failed = false } = compiled.segmentOf({ context: values });
      expect({ name: segment.name, failed }).toEqual(expected);
    }),
    { numRuns: 1_000 },
  );
});

test('an attribute that is no text falls in no segment that is told by text', () => {
  const agent = agentOf({
    attributes: ATTRIBUTES,
    segments: [{ name: 'gold', when: 'context.tier == "gold"' }],
    tools: { look: { kind: 'read', args: { type: 'object' } } },
  });
  const world = { agent: compileAgent(agent), switches: [], inForce: { default: '1' }, releases: {} };
  const asked = { tool: 'look', args: {}, claimed: {}, subject: 'c-1' };
  const answer = decide({ ...asked, attributes: { tier: ['gold'], region: 'eu', seats: 1 } }, world);
  expect(answer).toMatchObject({
    outcome: 'denied',
    segment: 'default',
    reasons: [{ code: 'attribute_missing' }],
  });
});
