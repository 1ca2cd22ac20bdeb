import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPortcullis, type Portcullis } from '../../src/sdk/index.ts';
import { testPostgres, testTemporal } from '../support/context.ts';
import { type GivenToken, givenAdopted, givenToken } from '../support/fixtures.ts';
import { createDatabase } from '../support/postgres.ts';
import { type ServiceProcess, startService, until } from '../support/service-process.ts';
import { servicesAt, type TestServices } from '../support/services.ts';

const run = promisify(execFile);
/** More than any single call is repeated for. */
const AWAY_MS = 3_000;
/** A write that begins is sent within five seconds or not at all. */
const QUICK_MS = 500;

let services: TestServices;
let service: ServiceProcess;
let portcullis: Portcullis;
const as = {} as Record<'agent' | 'ana', GivenToken>;

beforeAll(async () => {
  const databaseUrl = await createDatabase(testPostgres());
  services = await servicesAt(databaseUrl);
  services.clock.moveTo(new Date());
  await givenAdopted(services, {
    agentYaml: MAILER,
    releaseYaml: 'agent: mailer\nrelease: 1\ngrants: [{ tool: send_email, approval: desk }]\n',
  });
  as.agent = await givenToken(services, 'agent', { agent: 'mailer' });
  as.ana = await givenToken(services, 'approver', { person: 'ana' });
  service = await startService({ databaseUrl, temporalAddress: testTemporal().address });
  portcullis = createPortcullis({ url: service.url, token: as.agent.token, agentVersion: '1.0' });
});
afterAll(async () => {
  await service?.stop();
  await services?.close();
});

const MAILER = `agent: mailer
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
tools:
  send_email:
    kind: write
    summary: Send "{subject}" to {to}
    args: { type: object, properties: { to: { type: string }, subject: { type: string } } }
`;

/** The program of README, against this service. */
const python = (): Promise<{ stdout: string }> => {
  const [, program = ''] = /```python\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const here = program.replace('http://127.0.0.1:8080', service.url);
  expect(here).not.toBe(program);
  return run('python3', ['-c', here], { env: { ...process.env, TOKEN: as.agent.token } });
};

const actions = () => services.db.sql.selectFrom('action').select(['id', 'state', 'args_digest']).execute();

/** A service that just started does much at once. */
async function answersQuickly(): Promise<boolean> {
  const startedAt = performance.now();
  await service.call('GET /v1/actions', { as: as.ana });
  return performance.now() - startedAt < QUICK_MS;
}

test('the SDK and README’s Python wait as long as the question does, over a kill of the service', async () => {
  const done: string[] = [];
  const guarded = portcullis.guard('send_email', async ({ to }: { to: string }) => ({ sent: to }));
  const bySdk = guarded({ to: 'b@example.org' }, { subject: 'c-2' }).then((result) => {
    done.push('sdk');
    return result;
  });
  const byPython = python().then((result) => {
    done.push('python');
    return result;
  });
  await until('both questions', async () => (await actions()).length === 2);
  await service.kill9();
  await sleep(AWAY_MS);
  await service.restart();
  expect(done).toEqual([]);
  for (const [n, { id, args_digest }] of (await actions()).entries()) {
    await until('a quick answer', () => answersQuickly());
    const body = { verdict: 'approve', digest: args_digest };
    const approved = await service.call(`POST /v1/actions/${id}/decisions`, { as: as.ana, body });
    expect(approved.status).toBe(200);
    await until('the call', async () => done.length > n);
  }
  expect(await bySdk).toEqual({ sent: 'b@example.org' });
  expect((await byPython).stdout).toContain("{'to': 'ana@example.com', 'subject': 'Hello'}");
  expect((await actions()).map(({ state }) => state)).toEqual(['executed', 'executed']);
});

test('whatever a tool returns, the service keeps it as executed', async () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const results: unknown[] = [{ text: 'x'.repeat(2_000_000) }, 2 ** 60, 10n, circle, 'a\ud800'];
  for (const [n, result] of results.entries()) {
    const guarded = portcullis.guard('send_email', async () => result);
    const subject = `returns-${n}`;
    const sent = guarded({ to: 'b@example.org' }, { subject, idempotencyKey: subject });
    const row = () =>
      services.db.sql
        .selectFrom('action')
        .innerJoin('action_private', 'action_private.action_id', 'action.id')
        .select(['id', 'state', 'args_digest', 'result'])
        .where('idempotency_key', '=', subject)
        .executeTakeFirst();
    await until('the question', async () => (await row()) !== undefined);
    const asked = await row();
    const body = { verdict: 'approve', digest: asked?.args_digest };
    await service.call(`POST /v1/actions/${asked?.id}/decisions`, { as: as.ana, body });
    expect(await sent).toBe(result);
    expect(await row()).toMatchObject({
      state: 'executed',
      result: expect.stringMatching(/^\{"omitted":"the result /),
    });
  }
});
