import { once } from 'node:events';
import { createServer as createHttpServer, get } from 'node:http';
import { createServer } from 'node:net';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Role } from '../../../src/actor.ts';
import type { Disabled } from '../../../src/cli/disable-scope.ts';
import { ManualClock } from '../../../src/clock.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { type SupervisedSwitch, startSwitchProcess } from '../../../src/switch-process/supervise.ts';
import { disable } from '../../../src/switches/disable.ts';
import { testPostgres } from '../../support/context.ts';
import { givenAdopted, givenToken, onCallActor } from '../../support/fixtures.ts';
import { createDatabase } from '../../support/postgres.ts';
import { servicesAt, type TestServices } from '../../support/services.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';

const log = pino({ level: 'silent' });

let services: TestServices;
let running: SupervisedSwitch;
let options: Parameters<typeof startSwitchProcess>[0];

beforeAll(async () => {
  const databaseUrl = await createDatabase(testPostgres());
  // The process has the database's clock.
  services = await servicesAt(databaseUrl, { clock: new ManualClock(new Date()) });
  await givenAdopted(services);
  options = {
    databaseUrl,
    host: '127.0.0.1',
    port: 0,
    anyPort: false,
    logLevel: 'silent',
    publicUrl: 'http://portcullis.test',
    allowedHosts: [],
    trustProxy: [],
  };
  running = await startSwitchProcess(options, log);
});
afterAll(async () => {
  await running.stop();
  await services.close();
});

async function put(token: string | undefined, scope: string, body: object = {}) {
  const response = await fetch(`${running.url}/v1/switches/${scope}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    body: JSON.stringify({ disabled: true, reason: 'it is wrong', ...body }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

const tokenOf = async (roles: Role | Role[], more: object = {}) =>
  (await givenToken(services, roles, more)).token;

const stoppedBy = async (scope: string) => {
  const rows = services.db.sql.selectFrom('switch').selectAll().where('disabled', '=', true);
  return (await rows.where('scope', '=', scope).executeTakeFirst())?.actor;
};

test('it asks for the same tokens and roles as the API', async () => {
  const forbidden = { status: 403, json: { code: 'forbidden' } };
  expect(await put(undefined, 'everything')).toMatchObject({ status: 401 });
  expect(await put('pct_invented', 'everything')).toMatchObject({ status: 401 });
  expect(await put(await tokenOf('auditor'), 'agent/desk')).toMatchObject(forbidden);
  expect(await put(await tokenOf('admin'), 'everything')).toMatchObject(forbidden);
  expect(await put(await tokenOf('agent', { agent: 'desk' }), 'agent/desk')).toMatchObject(forbidden);
  const bound = await tokenOf('on-call', { agent: 'desk', person: 'cleo' });
  expect(await put(bound, 'everything')).toMatchObject(forbidden);
  expect(await put(bound, 'agent/other')).toMatchObject(forbidden);
  expect(await stoppedBy('everything')).toBeUndefined();
  const mallory = await givenToken(services, 'on-call', { expiresAt: services.clock.now() });
  expect(await put(mallory.token, 'everything')).toMatchObject({ status: 401 });
  expect(await put(bound, 'agent/desk')).toMatchObject({ status: 200, json: { state: 'closed' } });
  expect(await stoppedBy('agent/desk')).toBe('cleo');
});

test('what is no stop is refused with a reason, and it opens nothing', async () => {
  const token = await tokenOf('on-call', { person: 'cleo' });
  for (const body of [{ disabled: false }, { reason: ' ' }, { reads: 'yes' }, { wait: 'drained' }])
    expect(await put(token, 'agent/desk', body)).toMatchObject({
      status: 400,
      json: { code: 'invalid_input' },
    });
  expect(await put(token, 'agent/nobody')).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
  expect(await put(token, 'agent/desk', { reason: 'x'.repeat(20_000) })).toMatchObject({ status: 413 });
  expect((await fetch(`${running.url}/v1/actions`)).status).toBe(404);
});

test("the service's own surfaces go by it, and by themselves while it is away", async () => {
  const pulled = await running.pull('slack cleo', { scope: 'tool/desk/refund', reason: 'by the process' });
  expect(pulled).toMatchObject({ state: 'closed' });
  expect(await stoppedBy('tool/desk/refund')).toBe('slack cleo');
  const asked: string[] = [];
  const gone = {
    url: '',
    isUp: () => false,
    reachedAt: () => {},
    pull: async (actor: string) => void asked.push(actor),
  };
  const with_ = { db: services.db, clock: services.clock, wake: () => {}, switchProcess: gone };
  const input = { scope: 'tool/desk/cancel', reason: 'x' };
  expect(await disable(with_, onCallActor('cleo'), input)).toMatchObject({ state: 'closed' });
  expect(asked).toEqual(['cleo']);
  expect(await stoppedBy('tool/desk/cancel')).toBe('cleo');
  const wrong = running.pull('cleo', { scope: 'agent/nobody', reason: 'x' });
  await expect(wrong).rejects.toMatchObject({ code: 'invalid_input' });
});

test('killed, it is there again on the same port', async () => {
  const [pid, url] = [running.pid() ?? 0, running.url];
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => running.isUp()).toBe(false);
  expect(await running.pull('cleo', { scope: 'agent/desk', reason: 'while it is away' })).toBeUndefined();
  await expect.poll(() => running.isUp()).toBe(true);
  expect(running.pid()).not.toBe(pid);
  expect(running.url).toBe(url);
  const token = await tokenOf('on-call', { person: 'cleo' });
  expect(await put(token, 'agent/desk')).toMatchObject({ status: 200, json: { state: 'closed' } });
});

test('a port that is taken: another one where none was asked for, else it says which variable', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await once(blocker, 'listening');
  const { port } = blocker.address() as { port: number };
  const refused = startSwitchProcess({ ...options, port }, log);
  await expect(refused).rejects.toThrow(
    new RegExp(`PORTCULLIS_SWITCH_PORT: 127\\.0\\.0\\.1:${port} is taken`),
  );
  const elsewhere = await startSwitchProcess({ ...options, port, anyPort: true }, log);
  expect(new URL(elsewhere.url).port).not.toBe(String(port));
  await elsewhere.stop();
  blocker.close();
});

test('the CLI tries it first, sends no token to what is not the switch, and goes on by the API', async () => {
  const token = await tokenOf('on-call', { person: 'cleo' });
  const argv = ['disable', 'desk', '--reason', 'x', '--output', 'json'];
  const nothing = `http://127.0.0.1:${await freePort()}`;
  const env = { PORTCULLIS_URL: nothing, PORTCULLIS_SWITCH_URL: running.url, PORTCULLIS_TOKEN: token };
  expect((await runInTest(argv, { env })).json<Disabled>()).toMatchObject({ state: 'closed', by: 'switch' });
  const headers: (string | undefined)[] = [];
  const stranger = createHttpServer((request, response) => {
    headers.push(request.headers.authorization);
    response.setHeader('content-type', 'application/json').end('{"status":"ok"}');
  }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as { port: number };
  const strange = { ...env, PORTCULLIS_SWITCH_URL: `http://127.0.0.1:${port}` };
  const failed = await runInTest(argv, { env: strange });
  expect(failed).toMatchObject({ code: 4 });
  expect(failed.err).toContain(`does not answer at ${nothing}`);
  expect(headers).toEqual([undefined]);
  stranger.close();
});

test('doctor shows where it listens, or that it is not found from here', async () => {
  const env = { PORTCULLIS_SWITCH_URL: running.url, TEMPORAL_ADDRESS: '127.0.0.1:9' };
  expect((await runInTest(['doctor'], { env })).flat).toContain(
    `switch: a process of its own answers at ${running.url}`,
  );
  const elsewhere = { ...env, PORTCULLIS_SWITCH_URL: 'http://127.0.0.1:9' };
  expect((await runInTest(['doctor'], { env: elsewhere })).flat).toMatch(
    /switch: its own process does not answer at http:\/\/127\.0\.0\.1:9 .*PORTCULLIS_SWITCH_URL/,
  );
});

/** What it answers to who asks for it by this name. */
const statusFor = async (host: string): Promise<number | undefined> => {
  const request = get(`${running.url}/readyz`, { headers: { host } });
  const [response] = await once(request, 'response');
  response.resume();
  return response.statusCode;
};

test('it answers for the name under which people reach the service, also when that is changed and it starts anew', async () => {
  expect([await statusFor('portcullis.test'), await statusFor('new.test')]).toEqual([200, 421]);
  running.reachedAt('https://new.test');
  await expect.poll(() => statusFor('new.test')).toBe(200);
  expect(await statusFor('portcullis.test')).toBe(421);
  const before = running.pid() ?? 0;
  process.kill(before, 'SIGKILL');
  await expect.poll(() => running.pid() !== undefined && running.pid() !== before).toBe(true);
  expect(await statusFor('new.test')).toBe(200);
  running.reachedAt(options.publicUrl);
});
