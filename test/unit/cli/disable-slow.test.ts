import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { runInTest } from './cli-io.ts';

const CLOSED = {
  state: 'closed',
  scope: 'agent/desk',
  offAtMs: 20,
  voided: 0,
  inFlight: [],
  heldBy: [],
  failoverSafe: false,
};
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const answers =
  (status: number, body: object, afterMs = 0): RequestListener =>
  (request, response) => {
    const said = request.url === '/healthz' ? { service: 'portcullis switch' } : body;
    const type = status < 400 || request.url === '/healthz' ? 'application/json' : 'application/problem+json';
    const code = request.url === '/healthz' ? 200 : status;
    setTimeout(() => response.writeHead(code, { 'content-type': type }).end(JSON.stringify(said)), afterMs);
  };
const silent: RequestListener = () => {};

async function disable(api: RequestListener, switch_: RequestListener) {
  const env = {
    PORTCULLIS_URL: await listening(api),
    PORTCULLIS_SWITCH_URL: await listening(switch_),
    PORTCULLIS_TOKEN: 'pct_x',
  };
  const startedAt = performance.now();
  const argv = ['disable', 'desk', '--reason', 'x', '--output', 'json'];
  const result = await runInTest(argv, { env, cwd: '/nowhere' });
  return { ...result, tookMs: performance.now() - startedAt };
}

test('a switch that is late answers before an API that stands still', async () => {
  const { code, tookMs, json } = await disable(silent, answers(200, CLOSED, 900));
  expect(code).toBe(0);
  expect(json()).toMatchObject({ state: 'closed', by: 'switch' });
  expect(tookMs).toBeLessThan(8_000);
});

test('an API that answers is not kept waiting for by a switch that stands still', async () => {
  const { tookMs, json } = await disable(answers(200, CLOSED), silent);
  expect(json()).toMatchObject({ state: 'closed', by: 'api' });
  expect(tookMs).toBeLessThan(8_000);
});

test('what the API refuses is refused at once', async () => {
  const forbidden = { code: 'forbidden', detail: 'ana may not do this', status: 403 };
  const { code, tookMs } = await disable(answers(403, forbidden), silent);
  expect(code).toBe(3);
  expect(tookMs).toBeLessThan(8_000);
});
