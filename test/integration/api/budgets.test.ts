import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { actorOf, type GivenToken, givenToken } from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';
import { openBrowser } from './browser.ts';

const SIZES = { anonymous: 5, failed: 5, signIns: 3, token: 20, session: 20 };
const FORM = { 'content-type': 'application/x-www-form-urlencoded', origin: 'http://portcullis.test' };

let api: TestApi;
let errors: unknown[];

beforeAll(async () => {
  errors = [];
  const log = pino({ level: 'error' }, { write: (line) => void errors.push(JSON.parse(line)) });
  api = await givenApi(() => createTestServices({ log }));
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

const bearer = (token: string): GivenToken => ({
  id: '',
  token,
  headers: { authorization: `Bearer ${token}` },
});
const statuses = async (count: number, send: (n: number) => Promise<{ status: number }>) => {
  const seen: number[] = [];
  for (let n = 0; n < count; n++) seen.push((await send(n)).status);
  return seen;
};
const limited = () => createApi(api.services, { budgets: SIZES });

test('without a token, and with invented ones, an address has budgets of its own, and is told when to come again', async () => {
  const app = await limited();
  const anonymous = await statuses(8, () => call(app, 'GET /v1/actions'));
  expect(anonymous).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const invented = await statuses(8, (n) => call(app, 'GET /v1/actions', { as: bearer(`pct_${n}`) }));
  expect(invented).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const refused = await call(app, 'GET /v1/actions');
  expect(refused.json).toMatchObject({ code: 'rate_limited', retry: true });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  for (const path of ['/metrics', '/openapi.json', '/.well-known/jwks.json', '/login'])
    expect((await call(app, `GET ${path}`)).status).toBe(429);
  // Whoever watches the process is never taken for an attack.
  expect(await statuses(30, () => call(app, 'GET /healthz'))).toEqual(Array(30).fill(200));
  await app.close();
});

test('a token that stood a moment ago is let through, and an invented one is not even looked up', async () => {
  const app = await limited();
  expect((await call(app, 'GET /v1/actions', { as: api.as.ana })).status).toBe(200);
  await statuses(8, (n) => call(app, 'GET /v1/actions', { as: bearer(`pct_${n}`) }));
  await statuses(8, () => call(app, 'GET /v1/actions'));
  expect((await call(app, 'GET /v1/actions', { as: api.as.ana })).status).toBe(200);
  const once = await givenToken(api.services, 'auditor');
  expect((await call(app, 'GET /v1/actions', { as: once })).status).toBe(429);
  await app.close();
});

test('a token that was revoked is no way round the budget of those that failed', async () => {
  const app = await limited();
  const token = await givenToken(api.services, 'auditor');
  expect((await call(app, 'GET /v1/actions', { as: token })).status).toBe(200);
  await revokeToken(api.services, actorOf('admin'), token.id);
  const seen = await statuses(8, () => call(app, 'GET /v1/actions', { as: token }));
  expect(seen).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  await app.close();
});

test('each token has its own', async () => {
  const app = await limited();
  const ana = await statuses(22, () => call(app, 'GET /v1/agents', { as: api.as.ana }));
  expect(ana).toEqual([...Array(20).fill(200), 429, 429]);
  expect((await call(app, 'GET /v1/agents', { as: api.as.ben })).status).toBe(200);
  await app.close();
});

test('a flood of sign-ins locks nobody out who is signed in, and ends by itself', async () => {
  const app = await limited();
  const browser = await openBrowser(app, api.as.ana);
  const signIn = (token: string) =>
    call(app, 'POST /login', { headers: FORM, body: new URLSearchParams({ token }).toString() });
  expect(await statuses(6, (n) => signIn(`pct_${n}`))).toEqual([401, 401, 401, 429, 429, 429]);
  await statuses(8, () => call(app, 'GET /login'));
  for (const path of ['/', '/actions', '/queue', '/style.css'])
    expect({ path, status: (await browser.get(path)).status }).toEqual({ path, status: 200 });
  // Each session has its own.
  const other = await openBrowser(await limited(), api.as.ana);
  expect(await statuses(22, () => browser.get('/style.css'))).toContain(429);
  expect((await other.get('/actions')).status).not.toBe(429);
  await app.close();
});

test('who calls is taken from a proxy that is known, and from nobody else', async () => {
  const through = async (trustProxy: string[]) => {
    const app = await createApi(api.services, { budgets: SIZES, trustProxy });
    const seen = await statuses(8, (n) =>
      call(app, 'GET /v1/actions', { headers: { 'x-forwarded-for': `203.0.113.${n}` } }),
    );
    await app.close();
    return seen;
  };
  expect(await through([])).toContain(429);
  expect(await through(['10.0.0.0/8'])).toContain(429);
  expect(await through(['127.0.0.1'])).toEqual(Array(8).fill(401));
});

test('under a flood a good user is served, and not much later', async () => {
  const app = await createApi(api.services, { budgets: { anonymous: 50, failed: 50 } });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const serve = async () => {
    const took: number[] = [];
    for (let n = 0; n < 40; n++) {
      const startedAt = performance.now();
      const { status } = await fetch(`${url}/v1/agents`, { headers: api.as.ana.headers });
      expect(status).toBe(200);
      took.push(performance.now() - startedAt);
    }
    return took.sort((a, b) => a - b)[20] ?? 0;
  };
  await serve();
  const calmMs = await serve();
  let flooding = true;
  const seen = new Map<number, number>();
  const flood = async (n: number) => {
    while (flooding) {
      const headers = new Headers(n % 2 === 0 ? {} : { authorization: `Bearer pct_${Math.random()}` });
      const { status } = await fetch(`${url}/v1/actions`, { headers });
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  };
  const floods = Array.from({ length: 8 }, (_, n) => flood(n));
  await expect.poll(() => seen.get(429) ?? 0).toBeGreaterThan(20);
  const floodedMs = await serve();
  const [before, startedAt] = [seen.get(429) ?? 0, performance.now()];
  await sleep(1_000);
  const refusedPerSecond = (((seen.get(429) ?? 0) - before) * 1_000) / (performance.now() - startedAt);
  flooding = false;
  await Promise.all(floods);
  // Each waits a quarter of a second for its refusal.
  expect(refusedPerSecond).toBeLessThan(8 * 5);
  expect(floodedMs).toBeLessThan(calmMs * 20 + 200);
  console.info(`p50 ${calmMs.toFixed(1)} ms, under a flood ${floodedMs.toFixed(1)} ms`);
  await app.close();
});

async function halfRequest(port: number, token: GivenToken): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST /v1/actions HTTP/1.1\r\nhost: localhost\r\nauthorization: ${token.headers.authorization}\r\n` +
      'content-type: application/json\r\ncontent-length: 1000\r\n\r\n{"agentVersion":',
  );
  return socket;
}

test('a body that comes byte by byte is ended after ten seconds', async () => {
  const app = await createApi(api.services);
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  const startedAt = performance.now();
  const socket = await halfRequest(Number(port), api.as.agent);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
  });
  const drip = setInterval(() => socket.write(' '), 500);
  await once(socket, 'close');
  clearInterval(drip);
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  await app.close();
});

test('an upload that is broken off is no failure of the store', async () => {
  const app = await createApi(api.services);
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
  errors.length = 0;
  for (let n = 0; n < 5; n++) {
    const socket = await halfRequest(Number(port), api.as.agent);
    await sleep(100);
    socket.resetAndDestroy();
  }
  // Whatever is said of it has been said when later requests are answered.
  await sleep(500);
  expect((await call(app, 'GET /metrics')).text).not.toContain('status="503"');
  expect(errors).toEqual([]);
  await app.close();
});

test('one token takes its share of the event streams, and leaves the others theirs', async () => {
  const app = await createApi(api.services, { bounds: { streams: 40 } });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const ends = new AbortController();
  const open = (token: GivenToken) =>
    fetch(`${url}/v1/events`, { headers: token.headers, signal: ends.signal });
  const seen = [await open(api.as.agent), await open(api.as.agent), await open(api.as.agent)];
  expect(seen.map(({ status }) => status)).toEqual([200, 200, 503]);
  expect(await seen[2]?.json()).toMatchObject({ code: 'too_many_streams', retry: true });
  expect((await open(api.as.auditor)).status).toBe(200);
  ends.abort();
  await app.close();
});
