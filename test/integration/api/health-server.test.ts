import { hostname } from 'node:os';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHealthApi } from '../../../src/api/health-server.ts';
import { watchBackground } from '../../../src/background.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { LOCKS, startExclusive } from '../../../src/db/exclusive.ts';
import type { Loop } from '../../../src/loop.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { createTestServices } from '../../support/services.ts';

/** Longer than what the store is given to answer. */
const BUSY_MS = 2_500;

let api: TestApi;
let small: Awaited<ReturnType<typeof createHealthApi>>;
let judge: Loop;
beforeAll(async () => {
  api = await givenApi(() => createTestServices());
  small = await createHealthApi(api.services, { temporal: async () => true });
  judge = startExclusive(api.services, 'judge', 50, async () => {});
});
afterAll(async () => {
  await judge.stop();
  await small.close();
  await api.app.close();
  await api.services.close();
});

test('a process without the API says how it does, to anybody, and serves nothing else', async () => {
  expect((await call(small, 'GET /livez')).json).toEqual({ status: 'ok' });
  const ready = await call(small, 'GET /readyz');
  expect(ready.status).toBe(200);
  expect(ready.json).toMatchObject({ status: 'ready', database: 'up', temporal: 'up', switch: 'unknown' });
  const metrics = await call(small, 'GET /metrics');
  expect(metrics.headers['content-type']).toContain('text/plain');
  expect(metrics.text).toContain('portcullis_log_unsequenced_entries');
  for (const line of [
    'GET /v1/actions',
    'POST /v1/actions',
    'PUT /v1/switches/everything',
    'GET /',
    'GET /login',
    'GET /openapi.json',
    'GET /.well-known/jwks.json',
  ] as const) {
    const { status, json } = await call(small, line, {
      as: api.as.admin,
      ...(line[0] === 'P' ? { body: {} } : {}),
    });
    expect([line, status, json.code]).toEqual([line, 404, 'not_found']);
  }
});

test('it answers for no name but its own', async () => {
  expect((await call(small, 'GET /readyz', { headers: { host: 'evil.example.com' } })).status).toBe(421);
  expect((await call(small, 'GET /readyz', { headers: { host: '10.1.2.3:8090' } })).status).toBe(200);
});

test('which process does what one does at a time, and what nobody does', async () => {
  const by = `${hostname()}:${process.pid}`.slice(0, 63 - 'portcullis judge '.length);
  for (const app of [small, api.app])
    await expect
      .poll(async () => (await call(app, 'GET /readyz')).json.background)
      .toEqual(Object.keys(LOCKS).map((work) => (work === 'judge' ? { work, by } : { work })));
});

test('without its store it is not ready, and lives', async () => {
  const gone = await openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', poolSize: 1 });
  const lost = await createHealthApi({ ...api.services, db: gone });
  expect(await call(lost, 'GET /readyz')).toMatchObject({
    status: 503,
    json: { status: 'not-ready', database: 'down' },
  });
  expect((await call(lost, 'GET /livez')).status).toBe(200);
  await lost.close();
  await gone.close();
});

test('it is ready although its thread was busy while the store answered', async () => {
  const block = () => {
    for (const until = performance.now() + BUSY_MS; performance.now() < until; );
  };
  // Asked right after the store was: its answer lies there while nothing reads it.
  const temporal = async () => {
    setImmediate(block);
    return true;
  };
  const busy = await createHealthApi(api.services, { temporal });
  expect(await call(busy, 'GET /readyz')).toMatchObject({ status: 200, json: { database: 'up' } });
  await busy.close();
});

test('what nobody does is said in the log of every process that could not do it', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) });
  const watch = watchBackground({ ...api.services, log }, 20);
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  await watch.stop();
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    nobodyDoes: [
      'dispatcher',
      'sweeper',
      'autonomy',
      'arms',
      'reconciler',
      'erasures',
      'retention',
      'sources',
      'reviews',
      'learning',
    ],
    msg: expect.stringContaining('portcullis up --roles background'),
  });
});
