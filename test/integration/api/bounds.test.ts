import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type ApiOptions, createApi } from '../../../src/api/server.ts';
import { askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import { type GivenToken, givenPendingAction, givenToken } from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';

let api: TestApi;
let app: FastifyInstance;
let url: string;

beforeAll(async () => {
  api = await givenApi(createTestServices);
});
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

async function open(bounds: ApiOptions['bounds']): Promise<void> {
  app = await createApi(api.services, { bounds });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
}

/** What `/metrics` says of a bound. */
async function measured(bound: string): Promise<{ held: number; refused: number; most: number }> {
  const { text } = await call(app, 'GET /metrics');
  const read = (name: string) =>
    Number(new RegExp(`^portcullis_${name}\\{bound="${bound}"\\} (\\d+)$`, 'm').exec(text)?.[1]);
  return { held: read('held'), refused: read('refused_over_bound_total'), most: read('bound') };
}

const ask = (as: GivenToken) => call(app, 'POST /v1/actions', { as, body: askBody() });
const another = () => givenToken(api.services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
const OVERLOADED = {
  status: 503,
  headers: { 'retry-after': '1' },
  json: { code: 'overloaded', retry: true, hint: expect.stringContaining('PORTCULLIS_') },
};

test('questions that wait for the store: one caller has its share, all together the bound, and then it goes on', async () => {
  await open({ asks: 8 });
  const tokens = await Promise.all([api.as.agent, another(), another(), another(), another()]);
  const [first, ...others] = tokens as [GivenToken, ...GivenToken[]];
  for (const token of tokens) expect((await ask(token)).status).toBe(202);
  let waiting: ReturnType<typeof ask>[] = [];
  await api.services.db.sql.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(gate_key())`.execute(tx);
    waiting = [ask(first), ask(first)];
    await expect.poll(() => measured('asks')).toMatchObject({ held: 2, most: 8 });
    expect(await ask(first)).toMatchObject(OVERLOADED);
    for (const token of others.slice(0, 3)) waiting.push(ask(token), ask(token));
    await expect.poll(async () => (await measured('asks')).held).toBe(8);
    expect(await ask(others[3] as GivenToken)).toMatchObject(OVERLOADED);
  });
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(8).fill(202));
  expect(await measured('asks')).toEqual({ held: 0, refused: 2, most: 8 });
  expect((await ask(others[3] as GivenToken)).status).toBe(202);
  const recorded = await api.services.db.sql.selectFrom('action').select('id').execute();
  expect(recorded).toHaveLength(tokens.length + 8 + 1);
});

test('long polls', async () => {
  await open({ polls: 4 });
  const { id } = await givenPendingAction(api.services);
  const ends = new AbortController();
  const poll = ({ headers }: GivenToken) =>
    fetch(`${url}/v1/actions/${id}?wait=30s`, { headers, signal: ends.signal });
  const waiting = [poll(api.as.agent), poll(api.as.ana), poll(api.as.ben), poll(api.as.olga)];
  await expect.poll(async () => (await measured('polls')).held).toBe(4);
  const refused = await poll(api.as.auditor);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await refused.json()).toMatchObject({ code: 'overloaded' });
  ends.abort();
  await Promise.allSettled(waiting);
  await expect.poll(() => measured('polls')).toEqual({ held: 0, refused: 1, most: 4 });
});

test('event streams', async () => {
  await open({ streams: 40 });
  const ends = new AbortController();
  const follow = () => fetch(`${url}/v1/events`, { headers: api.as.auditor.headers, signal: ends.signal });
  const seen = [await follow(), await follow(), await follow()];
  expect(seen.map(({ status }) => status)).toEqual([200, 200, 503]);
  expect(await measured('streams')).toEqual({ held: 2, refused: 1, most: 40 });
  ends.abort();
  await expect.poll(async () => (await measured('streams')).held).toBe(0);
});

async function halfBody(token: GivenToken, length: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    `POST /v1/actions HTTP/1.1\r\nhost: localhost\r\nauthorization: ${token.headers.authorization}\r\n` +
      `content-type: application/json\r\n${length}\r\n\r\n`,
  );
  return socket;
}

test('bodies that have not come whole, whatever they say of their length', async () => {
  await open({ bodyBytes: 2 * 1_048_576 });
  const said = await halfBody(api.as.agent, 'content-length: 1048000');
  await expect.poll(async () => (await measured('bodyBytes')).held).toBe(1_048_000);
  const body = askBody({ args: { id: 'R-1', note: 'x'.repeat(5_000) } });
  expect(await call(app, 'POST /v1/actions', { as: api.as.agent, body })).toMatchObject(OVERLOADED);
  const other = await another();
  expect((await call(app, 'POST /v1/actions', { as: other, body })).status).toBe(202);
  const unsaid = await halfBody(other, 'transfer-encoding: chunked');
  await expect.poll(async () => (await measured('bodyBytes')).held).toBe(1_048_000 + 1_048_576);
  expect(await call(app, 'POST /v1/actions', { as: await another(), body })).toMatchObject(OVERLOADED);
  said.destroy();
  unsaid.destroy();
  await expect.poll(async () => (await measured('bodyBytes')).held).toBe(0);
  expect((await call(app, 'POST /v1/actions', { as: api.as.agent, body })).status).toBe(202);
});

test('what a refused or a broken request held comes back', async () => {
  await open({});
  const as = api.as.agent;
  await call(app, 'POST /v1/actions', { as, body: { nothing: true } });
  await call(app, 'POST /v1/actions', {
    as,
    body: '{"half":',
    headers: { 'content-type': 'application/json' },
  });
  await call(app, 'POST /v1/actions', { body: askBody() });
  await call(app, 'POST /v1/actions', { as, body: askBody({ agent: 'other' }) });
  for (const bound of ['asks', 'polls', 'streams', 'bodyBytes'])
    expect({ bound, ...(await measured(bound)) }).toMatchObject({ bound, held: 0, refused: 0 });
});
