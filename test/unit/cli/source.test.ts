import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runInTest, tooLong } from './cli-io.ts';

let server: Server;
let cwd: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://127.0.0.1');
    const gold = searchParams.get('segment') === 'gold';
    response.end(JSON.stringify(gold ? { events: 80, harms: 6 } : { events: 3, harms: 'x' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  cwd = await mkdtemp(join(tmpdir(), 'sources-'));
  await writeFile(
    join(cwd, 'agent.yaml'),
    `agent: desk
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold" }]
metrics:
  wrong: { unit: conversation, business: workload }
  slow:
    unit: request
    business: customer effort
    source: { http: { url: 'http://127.0.0.1:${port}/slow?release={release}&segment={segment}' } }
tools: { cancel: { args: { type: object } } }
`,
  );
});
afterAll(async () => {
  server.close();
  await rm(cwd, { recursive: true });
});

const source = (...more: string[]) =>
  runInTest(['source', 'test', 'agent.yaml', '--release', '2', ...more], { cwd });

test('shows what was sent and what of the answer would count', async () => {
  const { out, flat, code } = await source('--segment', 'gold');
  expect(code).toBe(0);
  expect(flat).toContain('slow in gold (http)');
  expect(flat).toContain('6 harms among 80 events would count, a share of 0.075');
  expect(flat).toContain('/slow?release=2&segment=gold');
  expect(tooLong(out.replaceAll(/http:\S+/g, ''))).toEqual([]);
});

test('a source that says no count is said, with exit code 1', async () => {
  const { flat, code } = await source();
  expect(code).toBe(1);
  expect(flat).toContain('slow in default (http)');
  expect(flat).toContain('nothing would count: it says "x" harms, which is no count');
});

test.each([
  [['--metric', 'wrong'], 'No source counts a metric "wrong"', 'With a source: slow'],
  [['--segment', 'silver'], 'There is no segment "silver"', 'Segments: gold, default'],
  [['--window', 'ever'], '--window cannot be "ever"', 'Write a duration from 1s to 90d'],
])('%j is refused', async (more, problem, hint) => {
  const { err, code } = await source(...more);
  expect(code).toBe(2);
  expect(err).toContain(problem);
  expect(err).toContain(hint);
});
