import { expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import { decide } from '../../../../src/domain/decision/decide.ts';
import { diffAgents, diffReleases, onlyTakesAway } from '../../../../src/domain/manifest/diff.ts';
import { readManifest, readManifestValue } from '../../../../src/domain/manifest/manifest.ts';
import { type AgentInput, agentOf, releaseOf } from './fixtures.ts';

const PAYS = {
  args: {
    type: 'object',
    required: ['to', 'account'],
    properties: { to: { type: 'string' }, account: { type: 'integer' } },
  },
};
const tools = { pay: PAYS };
const agent = agentOf({ tools, attributes: {}, segments: [] });
const grants = (when: string) => [
  { tool: 'pay', when, approval: 'none' },
  { tool: 'pay', when: `!(${when})`, approval: 'desk' },
];
const payees = ['ana', 'ben'];

function outcomeOf(lists: Record<string, unknown>, when: string, args: Record<string, unknown>): string {
  const release = releaseOf(grants(when), { lists });
  return decide(
    { tool: 'pay', args, attributes: {}, claimed: {}, subject: 's' },
    {
      agent: compileAgent(agent),
      switches: [],
      inForce: { default: '1' },
      releases: { 1: compileRelease(release, agent) },
    },
  ).outcome;
}

test.each([
  ['args.to in lists.payees', 'ana', 'allowed'],
  ['args.to in lists.payees', 'eve', 'pending'],
  ['args.to in lists.payees', 'an', 'pending'],
  ['args.to in lists.payees', 'constructor', 'pending'],
  ['args.account in lists.accounts', 'eve', 'allowed'],
  ['size(lists.payees) == 2 && lists.payees.exists(p, p == args.to)', 'ben', 'allowed'],
])('%s for %s: %s', (when, to, outcome) => {
  expect(outcomeOf({ payees, accounts: [7, 8] }, when, { to, account: 7 })).toBe(outcome);
});

test('nobody is in an empty list, and a list that was never read lets nothing through', () => {
  const args = { to: 'ana', account: 7 };
  expect(outcomeOf({ payees: [] }, 'args.to in lists.payees', args)).toBe('pending');
  expect(outcomeOf({ payees: { file: 'payees.txt' } }, 'args.to in lists.payees', args)).toBe('denied');
});

test('looking into ten thousand entries inside a walk stays quick', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => `payee-${at}`);
  const items = { type: 'array', items: { type: 'string' } };
  const walks = agentOf({
    tools: { pay: { args: { type: 'object', required: ['to'], properties: { to: items } } } },
    attributes: {},
    segments: [],
  });
  const release = releaseOf([{ tool: 'pay', when: 'args.to.all(t, t in lists.many)', approval: 'none' }], {
    lists: { many },
  });
  const [grant] = compileRelease(release, walks).grants.get('pay') ?? [];
  const started = performance.now();
  expect(grant?.matches?.({ args: { to: many.slice(0, 2_000) }, context: {}, subject: 's' })).toBe('true');
  expect(performance.now() - started).toBeLessThan(500);
});

const problemsOf = (lists: unknown, when = 'args.to in lists.payees') => {
  const value = { agent: 'desk', release: 1, lists, grants: [{ tool: 'pay', when, approval: 'none' }] };
  const read = readManifestValue(value, 'release', agent);
  return read.ok ? [] : read.problems.map(({ path, message, hint }) => `${path}: ${message} - ${hint}`);
};

test('what is wrong with a list is told, with its name', () => {
  expect(problemsOf({ payees })).toEqual([]);
  expect(problemsOf({ payees: ['ana', 7] })[0]).toContain('lists.payees[1]: "payees" holds text and numbers');
  expect(problemsOf({ payees: { file: 'payees.txt' } })[0]).toContain('only the command line reads files');
  expect(problemsOf({ payees: [7] })).toHaveLength(1);
  expect(problemsOf({ payes: payees })[0]).toContain('There is no "payees" here - Did you mean "payes"?');
  expect(problemsOf(undefined)[0]).toContain('"lists" is not known here');
  expect(problemsOf({ payees, in: ['x'] })[0]).toContain('a word of the condition language');
});

test('a list belongs to the manifest it stands in', () => {
  const own = agentOf({ tools, attributes: {}, segments: [], lists: { payees } });
  const value = { agent: 'desk', release: 1, grants: grants('args.to in lists.payees') };
  expect(readManifestValue(value, 'release', own).ok).toBe(false);
});

test('segments and risks may use the lists of the agent', () => {
  const given: Partial<AgentInput> = {
    attributes: { customer: 'string' },
    lists: { vip: ['c-1'], mules: ['eve'] },
    segments: [{ name: 'vip', when: 'context.customer in lists.vip' }],
    tools: { pay: { ...PAYS, risks: [{ when: 'args.to in lists.mules', risk: 'high' }] } },
  };
  const compiled = compileAgent(agentOf(given));
  expect(compiled.segmentOf({ context: { customer: 'c-1' } }).segment.name).toBe('vip');
  expect(compiled.segmentOf({ context: { customer: 'c-2' } }).segment.name).toBe('default');
  expect(compiled.tools.get('pay')?.riskOf({ to: 'eve', account: 1 })).toBe('high');
  expect(compiled.tools.get('pay')?.riskOf({ to: 'ana', account: 1 })).toBe('medium');
});

test('the difference says which entries come and go, and which grants that changes', () => {
  const when = 'args.to in lists.payees';
  const before = releaseOf(grants(when), { lists: { payees, other: ['x'] } });
  const after = releaseOf(grants(when), { lists: { payees: ['ben', 'eve'], other: ['x'] } });
  expect(diffReleases(before, after)).toEqual([
    { sign: '~', what: 'list payees', detail: 'with "eve"; without "ana"' },
    expect.objectContaining({ sign: '~', what: 'grant pay' }),
    expect.objectContaining({ sign: '~', what: 'grant pay' }),
  ]);
  const aside = releaseOf(grants(when), { lists: { payees, other: ['y'] } });
  expect(diffReleases(before, aside).map(({ what }) => what)).toEqual(['list other']);
  const [old, fresh] = [{ vip: ['a'] }, { vip: ['a', 'b'] }].map((lists) => agentOf({ lists }));
  expect(fresh && diffAgents(old, fresh)).toEqual([{ sign: '~', what: 'list vip', detail: 'with "b"' }]);
});

test('a list that grew is a wider permission: such a release is rolled out', () => {
  const when = 'args.to in lists.payees';
  const before = releaseOf(grants(when), { lists: { payees } });
  expect(onlyTakesAway(before, releaseOf(grants(when), { lists: { payees } }))).toBe(true);
  expect(onlyTakesAway(before, releaseOf(grants(when), { lists: { payees: [...payees, 'eve'] } }))).toBe(
    false,
  );
});

test('what several tools share is said once; a tool, then the first entry, wins', () => {
  const read = readManifest(
    'agent.yaml',
    `agent: bank
people: { ana: {}, ben: {} }
owners: [ana]
approvers: { desk: [ben] }
toolDefaults:
  - { tools: [balance, payments], kind: read, risk: low }
  - { tools: all, audience: bank, risk: high }
tools:
  balance:
  payments: { risk: medium }
  pay: {}
`,
    'agent',
  );
  expect(read.ok && read.value.tools).toMatchObject({
    balance: { kind: 'read', risk: 'low', audience: 'bank' },
    payments: { kind: 'read', risk: 'medium', audience: 'bank' },
    pay: { risk: 'high', audience: 'bank' },
  });
  expect(read.ok && read.value.tools.pay?.kind).toBeUndefined();
  expect(read.ok && 'toolDefaults' in read.value).toBe(false);
});

test('defaults that are wrong are told where they stand, and once', () => {
  const problems = (entry: string) => {
    const text = `agent: bank
people: { ana: {}, ben: {} }
owners: [ana]
approvers: { desk: [ben] }
toolDefaults:
  - ${entry}
tools: { a: {}, b: {} }
`;
    const read = readManifest('agent.yaml', text, 'agent');
    return read.ok ? [] : read.problems.map(({ line, message, hint }) => `${line}: ${message} - ${hint}`);
  };
  expect(problems('{ tools: [a, bb], risk: low }')).toEqual([
    '6: Tool "bb" is not one of tools - Did you mean "b"?',
  ]);
  expect(problems('{ tools: all, kind: read }')).toEqual([
    expect.stringContaining('6: Not every tool can be a read by default'),
  ]);
  expect(problems('{ tools: all, risk: hihg }')).toEqual([
    expect.stringContaining('6: "risk" cannot be "hihg"'),
  ]);
  expect(problems('{ tools: all, rsik: low }')).toEqual([expect.stringContaining('Did you mean "risk"')]);
});
