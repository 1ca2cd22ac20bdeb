import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { embeddedUrl } from '../../src/embedded/postgres/address.ts';
import { postmasterPid } from '../../src/embedded/postgres/takeover.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { verifies } from '../requirements.ts';
import { askBody } from '../support/api.ts';
import { testTemporal } from '../support/context.ts';
import { type GivenToken, givenAdopted, givenToken } from '../support/fixtures.ts';
import { type ServiceProcess, startService, until } from '../support/service-process.ts';
import { servicesAt } from '../support/services.ts';
import { type CliResult, runInTest } from '../unit/cli/cli-io.ts';

const CALLERS = 8;
const KILLED_AFTER = 60;

let service: ServiceProcess;
let agent: GivenToken;
const dataFolder = () => join(service.folder, '.portcullis');

beforeAll(async () => {
  service = await startService({ temporalAddress: testTemporal().address });
  const services = await servicesAt(storeUrl(), { clock: new ManualClock(new Date()) });
  await givenAdopted(services);
  agent = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
  await services.close();
});
afterAll(() => service?.stop());

const storeUrl = (): string => embeddedUrl(dataFolder()) ?? expect.fail('no embedded store');

/** As whoever has the data folder of the service, and nothing else. */
const cli = (...argv: string[]): Promise<CliResult> =>
  runInTest(argv, { cwd: service.folder, env: { PORTCULLIS_DATA: dataFolder() }, now: () => new Date() });

const ask = () => service.call('POST /v1/actions', { as: agent, body: askBody() });

/** Empty where it has ended meanwhile. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Postgres starts and ends processes as it likes: one that is gone already needs no killing. */
function kill9(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process with all that it started, and they. */
function familyOf(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        return [{ pid: Number(name), parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]) }];
      } catch {
        return []; // it has ended meanwhile
      }
    });
  const children = parents.filter(({ parent }) => parent === pid);
  return [pid, ...children.flatMap((child) => familyOf(child.pid))];
}

test('the store lies in the data folder, closed to others, and up says where', async () => {
  expect(statSync(dataFolder()).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(dataFolder(), 'postgres')).sort()).toEqual([
    'data',
    'password',
    'postgres.log',
    'server.json',
  ]);
  const { port } = new URL(storeUrl());
  const said = () => readFileSync(service.logFile, 'utf8');
  const where = `Database +embedded \\(Postgres 18[.\\d]*\\), at 127\\.0\\.0\\.1:${port}/postgres`;
  await expect.poll(said).toMatch(new RegExp(where));
  expect(said()).toContain(join(dataFolder(), 'postgres'));
  expect(said()).not.toContain(new URL(storeUrl()).password);
});

verifies(
  'never:acknowledged-lost',
  'kill -9 of service and Postgres loses nothing acknowledged',
  async () => {
    const acknowledged: string[] = [];
    let killed = false;
    let family: number[] = [];
    const onAcknowledged = () => {
      if (acknowledged.length === KILLED_AFTER - 1) family = familyOf(service.pid());
      if (acknowledged.length !== KILLED_AFTER) return;
      for (const pid of family) kill9(pid);
      killed = true;
    };
    const caller = async () => {
      while (!killed) {
        const answer = await ask().catch(() => undefined);
        if (answer?.status !== 202) continue;
        acknowledged.push(answer.json.id);
        onAcknowledged();
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
    expect(family.length).toBeGreaterThan(5);

    console.info(`up again after ${await service.restart()} ms, ${acknowledged.length} acknowledged before`);
    const services = await servicesAt(storeUrl());
    try {
      const { rows } = await sql<{ id: string }>`SELECT id FROM action`.execute(services.db.sql);
      const there = new Set(rows.map(({ id }) => id));
      expect(acknowledged.filter((id) => !there.has(id))).toEqual([]);
      await until('the log is numbered', async () => (await verifyLog(services.db.sql)).tail === 0);
      expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    } finally {
      await services.close();
    }
    expect((await ask()).status).toBe(202);
  },
);

test('a second service on the same data folder is refused and told which process has it', async () => {
  const before = postmasterPid(join(dataFolder(), 'postgres', 'data'));
  const { code, err } = await cli('up', '--port', '0');
  expect(postmasterPid(join(dataFolder(), 'postgres', 'data'))).toBe(before);
  expect(code).not.toBe(0);
  expect(err).toContain(`process ${service.pid()} is using it`);
  expect(err).toContain('PORTCULLIS_DATA');
  expect((await ask()).status).toBe(202);
});

test('with the service and its switch stuck, disable finds the store by itself, and doctor looks into it', async () => {
  const nodes = familyOf(service.pid()).filter((pid) => /switch-process/.test(commandOf(pid)));
  expect(nodes).toHaveLength(1);
  const stuck = [service.pid(), ...nodes];
  for (const pid of stuck) process.kill(pid, 'SIGSTOP');
  try {
    const disabled = await cli('disable', 'desk', '--reason', 'it hangs');
    expect(disabled.err).toContain('Going by the store in');
    expect(disabled.out).toMatch(/^CLOSED in [\d.]+ m?s by the\s+database/);
    const { out } = await cli('doctor');
    expect(out).toMatch(/^ok {4}database: Postgres 18/m);
    expect(out).toMatch(new RegExp(`^ok {4}data folder: .*used by process\\s+${service.pid()}`, 'm'));
  } finally {
    for (const pid of stuck) process.kill(pid, 'SIGCONT');
  }
  // Its connections were left alone for as long as it stood: what it held over them may end first.
  await until('the store is reached again', async () => (await ask()).status !== 503);
  expect(await ask()).toMatchObject({ status: 403, json: { reasons: [{ code: 'switched_off' }] } });
});

test('commands for another service leave the store of this folder alone', async () => {
  const elsewhere = ['--url', 'http://127.0.0.1:9', '--direct'];
  const { code, err } = await cli('disable', 'everything', '--reason', 'not here', ...elsewhere);
  expect(code).not.toBe(0);
  expect(err).toContain('Cannot disable directly');
});
