import { expect, test } from 'vitest';
import { companionsOf } from '../../../../src/domain/manifest/companions.ts';
import { agentFrom, releaseFrom } from '../../../support/fixtures.ts';

const AGENT = `agent: desk
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
segments:
  - { name: gold, when: 'context.tier == "gold"' }
metrics:
  wrong: { unit: conversation, business: x, tool: cancel, METRIC }
tools:
  cancel: { kind: write, risk: low, args: { type: object, required: [id], additionalProperties: false, properties: { id: { type: string } } } }
  pay: { kind: write, args: { type: object, required: [id], additionalProperties: false, properties: { id: { type: string } } } }
`;
const RELEASE = `agent: desk
release: 2
grants: [{ tool: cancel, CANCEL }, { tool: pay, PAY }]
rollout: { guardrails: [{ metric: wrong, limit: 0.1, reason: x, PER_DAY }] }
`;

function companions({
  metric = 'corrections: true',
  cancel = 'approval: desk',
  pay = 'approval: desk',
  perDay = 'share: 1',
}) {
  const agent = agentFrom(AGENT.replace('METRIC', metric));
  const text = RELEASE.replace('CANCEL', cancel).replace('PAY', pay).replace('PER_DAY', perDay);
  return companionsOf(releaseFrom(text, agent), agent, ['gold', 'default']);
}

test.each([
  ['approval: none'],
  [`approval: { group: desk, unless: 'args.id == "1"' }`],
  [`approval: { group: desk, rules: [{ when: 'args.id == "1"', answer: approve }] }`],
  ['approval: desk, earn: { above: 0.9 }'],
])('a rate of writes that run unasked has a companion: %s', (cancel) => {
  expect(companions({ cancel })).toEqual([
    { metric: 'wrong', tool: 'cancel', proposals: false, declared: {} },
  ]);
});

test.each([
  ['everything is asked', {}],
  ['another tool runs unasked', { pay: 'approval: none' }],
  ['only what people decide counts', { cancel: 'approval: none', metric: 'decidedBy: person' }],
])('a rate has none where %s', (_, given) => expect(companions(given)).toEqual([]));

test('and has one wherever the release manager says harms a day, for all or by segment', () => {
  expect(companions({ perDay: 'perDay: 2' })).toMatchObject([{ declared: { gold: 2, default: 2 } }]);
  expect(companions({ perDay: "perDay: { gold: 3, '*': 0.5 }" })).toMatchObject([
    { declared: { gold: 3, default: 0.5 } },
  ]);
  expect(companions({ perDay: 'perDay: { gold: 3 }' })).toMatchObject([{ declared: { gold: 3 } }]);
});

test('proposals are counted where people’s answers are', () => {
  expect(companions({ metric: 'denials: true', cancel: 'approval: none' })).toMatchObject([
    { proposals: true },
  ]);
});
