import { beforeAll, describe, expect, test } from 'vitest';
import { type Answer, call, givenApi, type TestApi } from '../../support/api.ts';
import { watchThread } from '../../support/cpu.ts';
import { givenToken } from '../../support/fixtures.ts';
import { manyToolsYaml } from '../../support/many-tools.ts';
import { shuffledLetters } from '../../support/seeded.ts';
import { describeWithServices } from '../../support/services.ts';
import { openBrowser } from './browser.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const YAML_TYPE = { 'content-type': 'application/yaml' };
const HELD_MS_MAX = 100;
const MEGABYTE = 1_000_000;

const AGENT = `agent: desk
people: { olga: {}, ana: {}, ben: {}, cleo: {} }
owners: [olga]
approvers: { desk: [ana, ben] }
attributes: { tier: string }
tools:
  plain: { args: { type: object, properties: { l: {} } } }
  walk: { args: { type: object, required: [l], properties: { l: { type: array, items: { type: integer } } } } }
  names: { args: { type: object, required: [l], properties: { l: { type: array, items: { type: string } } } } }
  unique: { args: { type: object, properties: { l: { type: array, uniqueItems: true } } } }
  nested: { args: { type: object, properties: { l: { items: { items: { items: { items: { type: integer } } } } } } } }
  forms: { args: { type: object, $defs: { n: { anyOf: [{ items: { $ref: "#/$defs/n" }, maxItems: 1 }, { items: { $ref: "#/$defs/n" } }] } }, properties: { l: { $ref: "#/$defs/n" } } } }
  pattern: { args: { type: object, properties: { l: { type: string, pattern: "^(a+)+$" } } } }
  states: { args: { type: object, properties: { l: { type: string, pattern: "(?:[ab]*a[ab]{15})$" } } } }
  map: { args: { type: object, properties: { l: { type: object, patternProperties: { "^k": { type: integer } }, propertyNames: { maxLength: 20 } } } } }
  mail: { args: { type: object, properties: { l: { type: array, items: { type: string, format: email } } } } }
`;
const TOOLS = [...AGENT.matchAll(/^ {2}(\w+): \{ args/gm)].map((match) => match[1] ?? '');
const RELEASE = `agent: desk
release: 2
grants:
${TOOLS.filter((tool) => !['walk', 'names'].includes(tool))
  .map((tool) => `  - { tool: ${tool}, approval: desk }`)
  .join('\n')}
  - { tool: walk, name: w1, approval: desk, when: "args.l.all(x, x >= 0 && x * 2 > x - 1)" }
  - { tool: walk, name: w2, approval: desk, when: "args.l.exists(x, x == -1) || args.l.map(x, x + 1).size() > 3" }
  - { tool: names, name: n1, approval: desk, when: 'args.l.all(x, re2(x, "^[a-z]+@ours.com$") || x.contains("@"))' }
`;

const list = (length: number, item: (at: number) => unknown): string =>
  JSON.stringify(Array.from({ length }, (_, at) => item(at)));
const big = (item: string): string =>
  `[${Array(Math.floor((MEGABYTE - 1_000) / (item.length + 1)))
    .fill(item)
    .join(',')}]`;
const nest = (depth: number): string => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** What an agent may send: the argument `l` of a tool. */
const HOSTILE: readonly [what: string, tool: string, l: string][] = [
  ['a megabyte of [[[1]]]', 'nested', big('[[[1]]]')],
  ['15,000 of [[[1]]]', 'nested', list(12_000, () => [[[1]]])],
  ['80,000 integers', 'walk', list(80_000, (at) => at)],
  ['49,000 integers', 'walk', list(49_000, (at) => at)],
  ['20,000 objects', 'unique', list(20_000, (at) => ({ id: at, name: `customer ${at}` }))],
  ['20,000 small objects', 'unique', list(20_000, (at) => ({ id: at }))],
  ['16,000 objects', 'unique', list(16_000, (at) => ({ id: at, name: `customer ${at}` }))],
  ['a megabyte of a', 'pattern', JSON.stringify('a'.repeat(MEGABYTE - 1_000))],
  ['300,000 a and !', 'pattern', JSON.stringify(`${'a'.repeat(300_000)}!`)],
  ['many states', 'states', JSON.stringify(`${shuffledLetters(990_000)}c`)],
  ['nested forms', 'forms', nest(60)],
  [
    '45,000 names',
    'map',
    JSON.stringify(Object.fromEntries(Array.from({ length: 45_000 }, (_, at) => [`k${at}`, at]))),
  ],
  ['40,000 addresses', 'mail', list(40_000, (at) => `user${at}@ours.com`)],
  ['40,000 texts', 'names', list(40_000, (at) => `user${at}@ours.com`)],
  ['a megabyte of escapes', 'plain', `"${'\\u0001'.repeat(160_000)}"`],
  ['a megabyte of digits', 'plain', `${'1'.repeat(MEGABYTE - 1_000)}`],
  ['a megabyte of zeros', 'plain', `0.${'0'.repeat(MEGABYTE - 1_000)}1`],
  ['a megabyte of quotes', 'plain', big('""')],
  ['a megabyte of brackets', 'plain', '['.repeat(MEGABYTE - 1_000)],
  ['a long name', 'plain', `{"${'k'.repeat(MEGABYTE - 1_000)}":1}`],
];

describeWithServices('what is sent holds nobody else', (make) => {
  let api: TestApi;

  beforeAll(async () => {
    api = await givenApi(make);
    const { olga } = api.as;
    const applied = await call(api.app, 'PUT /v1/agents/desk', { as: olga, headers: YAML_TYPE, body: AGENT });
    expect(applied.text).toContain('"changes"');
    const stored = await call(api.app, 'POST /v1/agents/desk/releases', {
      as: olga,
      headers: YAML_TYPE,
      body: RELEASE,
    });
    expect(stored.text).toContain('"created":true');
    await api.services.db.sql
      .updateTable('in_force')
      .set({ release: '2' })
      .where('agent', '=', 'desk')
      .execute();
  });

  /** A little too long, on a busy machine, is looked at again: what holds the thread does so each time. */
  async function watched(
    work: () => Promise<Answer>,
    tries = 3,
  ): Promise<{ answer: Answer; heldMs: number }> {
    const held = watchThread();
    const answer = await work();
    held.stop();
    const isNoise = held.ms >= HELD_MS_MAX && held.ms < 2 * HELD_MS_MAX;
    if (!isNoise || tries === 1) return { answer, heldMs: held.ms };
    return watched(work, tries - 1);
  }

  const ask = (name: string, l: string): Promise<Answer> => {
    const body = `{"agentVersion":"1","tool":"${name}","subject":"s","idempotencyKey":"${Math.random()}","args":{"l":${l}}}`;
    return call(api.app, 'POST /v1/actions', { as: api.as.agent, headers: JSON_TYPE, body });
  };

  describe('an ask', () => {
    test.each(HOSTILE)('with %s (%s)', async (_what, name, l) => {
      const { answer, heldMs } = await watched(() => ask(name, l));
      expect([202, 400, 403], answer.text.slice(0, 500)).toContain(answer.status);
      expect(heldMs).toBeLessThan(HELD_MS_MAX);
    });
  });

  test.each([
    ['12,000 small objects', 'plain', list(12_000, (at) => ({ id: at }))],
    ['a megabyte of text', 'plain', JSON.stringify('a'.repeat(MEGABYTE - 1_000))],
    ['49,000 integers', 'plain', list(49_000, (at) => at)],
  ])('%s, as they are read, shown, edited and tried on a release', async (_what, name, l) => {
    const { ana, olga } = api.as;
    const browser = await openBrowser(api.app, ana);
    const { id, ...asked } = (await ask(name, l)).json;
    const held: string[] = [];
    const take = async (what: string, work: () => Promise<Answer>): Promise<void> => {
      const { answer, heldMs } = await watched(work);
      expect(answer.status, `${what}: ${answer.text.slice(0, 300)}`).toBe(200);
      if (heldMs > HELD_MS_MAX) held.push(`${what} ${heldMs} ms`);
    };
    const path = `/v1/actions/${id}`;
    await take('read', () => call(api.app, `GET ${path}`, { as: api.as.agent }));
    await take('queue', () => call(api.app, 'GET /v1/approvals/queue', { as: ana }));
    await take('like', () => call(api.app, `GET ${path}/like`, { as: ana }));
    await take('page', () => browser.get(`/actions/${id}`));
    let last = asked;
    const shorter = l.startsWith('[') ? [l.replace(/,[^,]*\]$/, ']'), l] : ['"b"', '"c"'];
    await take('edit', async () => {
      const fresh = shorter[0] ?? '';
      shorter.reverse();
      const body = `{"args":{"l":${fresh}},"revision":${last.revision},"digest":"${last.argsDigest}"}`;
      const answer = await call(api.app, `POST ${path}/edits`, { as: ana, headers: JSON_TYPE, body });
      last = answer.json;
      return answer;
    });
    await take('page after the edit', () => browser.get(`/actions/${id}`));
    const replay = { as: olga, headers: YAML_TYPE, body: RELEASE };
    await take('replay', () => call(api.app, 'POST /v1/replays?agent=desk', replay));
    expect(held).toEqual([]);
  });

  test('2,000 tools and a release for them are applied, adopted and asked for', async () => {
    const manifests = manyToolsYaml(2_000);
    const yaml = (body: string) => ({ as: api.as.olga, headers: YAML_TYPE, body });
    const agent = await givenToken(api.services, 'agent', { agent: 'big', attributes: { tier: 'gold' } });
    const args = { id: 'ABC123', amount: 1 };
    const question = { agentVersion: '1', tool: 'tool_1999', subject: 's', idempotencyKey: 'first', args };
    const works: [what: string, status: number, work: () => Promise<Answer>][] = [
      ['apply', 200, () => call(api.app, 'PUT /v1/agents/big', yaml(manifests.agent))],
      ['store', 200, () => call(api.app, 'POST /v1/agents/big/releases', yaml(manifests.release))],
      ['adopt', 200, () => call(api.app, 'POST /v1/agents/big/releases/1/adopt', { as: api.as.olga })],
      ['ask', 202, () => call(api.app, 'POST /v1/actions', { as: agent, body: question })],
    ];
    for (const [what, status, work] of works) {
      const { answer, heldMs } = await watched(work, what === 'adopt' ? 1 : 3);
      expect(answer.status, `${what}: ${answer.text.slice(0, 500)}`).toBe(status);
      expect(heldMs, what).toBeLessThan(HELD_MS_MAX);
    }
  });
});
