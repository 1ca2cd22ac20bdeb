import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runInTest } from './cli-io.ts';

const CLOSING = {
  state: 'closing',
  scope: 'agent/desk',
  offAtMs: 3_010,
  voided: 0,
  inFlight: [],
  heldBy: [{ pid: 42, what: 'portcullis gate' }],
  failoverSafe: false,
};

let server: Server;
let url: string;
let answer: { status: number; type: string; body: string };
const seen: { authorization?: string; client?: string }[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const { authorization, 'x-portcullis-client': client } = request.headers;
    seen.push({ authorization, client: String(client) });
    response
      .writeHead(answer.status, { 'content-type': answer.type, location: 'http://127.0.0.1:9/' })
      .end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const disable = (...more: string[]) =>
  runInTest(['disable', 'desk', '--reason', 'x', '--url', url, '--token', 'pct_x', ...more]);

test('closing is not closed: exit code 6, and it names who still holds the gate', async () => {
  answer = { status: 202, type: 'application/json', body: JSON.stringify(CLOSING) };
  const result = await disable();
  expect(result.code).toBe(6);
  expect(result.out).toMatch(/^CLOSING since 3 s/);
  expect(result.out).toContain('Held by      portcullis gate (backend 42)');
  expect(seen.at(-1)).toEqual({ authorization: 'Bearer pct_x', client: 'cli' });
  expect((await disable('--output', 'json')).json()).toMatchObject({ state: 'closing', by: 'api' });
});

test('a refusal is told with its hint and no other way is tried', async () => {
  const problem = {
    code: 'forbidden',
    detail: 'ana may not do this',
    hint: 'Use a token that has the role',
    status: 403,
  };
  answer = { status: 403, type: 'application/problem+json', body: JSON.stringify(problem) };
  const result = await disable();
  expect(result).toMatchObject({ code: 3, out: '' });
  expect(result.err).toBe('ana may not do this\nHint: Use a token that has the role\nCode: forbidden\n');
});

test('what is no Portcullis is said, and a redirect gets no token', async () => {
  answer = { status: 502, type: 'text/html', body: '<html>' };
  expect((await disable()).err).toContain('answered 502, but not as Portcullis does');
  answer = { status: 307, type: 'text/html', body: '' };
  const before = seen.length;
  expect(await disable()).toMatchObject({ code: 4 });
  expect(seen.length).toBe(before + 1);
});

test('text of others cannot steer the terminal', async () => {
  const problem = { code: 'conflict', detail: 'see \u001b[2J\u202edone', status: 409 };
  answer = { status: 409, type: 'application/problem+json', body: JSON.stringify(problem) };
  expect((await disable()).err).toContain('see \\u001b[2J\\u202edone');
});
