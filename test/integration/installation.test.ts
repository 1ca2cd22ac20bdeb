import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginAction } from '../../src/actions/begin.ts';
import { migrate } from '../../src/db/migrate.ts';
import { followInstallation } from '../../src/installation/change.ts';
import { readSettings } from '../../src/installation/settings.ts';
import { type GivenSettings, settleInstallation } from '../../src/installation/settle.ts';
import { call, givenApi, type TestApi } from '../support/api.ts';
import {
  agentActor,
  givenAdopted,
  givenApprovedAction,
  givenRelease,
  givenToken,
  managerActor,
  RELEASE_2_YAML,
} from '../support/fixtures.ts';
import { writtenLog } from '../support/log.ts';
import { openOldStore } from '../support/old-store.ts';
import { createTestServices, describeWithServices, type TestServices } from '../support/services.ts';
import { startRollout } from '../support/start.ts';
import { runInTest } from '../unit/cli/cli-io.ts';

const DAY_MS = 86_400_000;
const HERE = 'https://portcullis.example.com';

const settle = ({ db, clock }: Pick<TestServices, 'db' | 'clock'>, given: GivenSettings) =>
  settleInstallation(db.sql, given, clock.now());

async function logged({ db }: Pick<TestServices, 'db'>, kind: string): Promise<Record<string, unknown>[]> {
  const rows = await writtenLog(db.sql).select('body').where('kind', '=', kind).orderBy('n').execute();
  return rows.map(({ body }) => JSON.parse(body));
}

const waitingFor = async ({ db }: TestServices): Promise<number> => {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db.gate);
  return rows[0]?.n ?? 0;
};

describeWithServices('what an installation goes by', (make) => {
  test('is said by the first process; the next ones take it, whatever they leave out', async () => {
    const services = await make();
    expect(await settle(services, { dayMs: 1_000, publicUrl: `${HERE}/` })).toEqual({
      dayMs: 1_000,
      publicUrl: `${HERE}/`,
      issuer: `${HERE}/`,
    });
    for (const given of [{}, { dayMs: 1_000 }, { publicUrl: HERE }, { publicUrl: `${HERE}:443/` }])
      expect(await settle(services, given)).toMatchObject({ dayMs: 1_000, publicUrl: `${HERE}/` });
    expect(await logged(services, 'installation.settled')).toMatchObject([
      { actor: 'start', data: { day_ms: 1_000, public_url: `${HERE}/`, issuer: `${HERE}/` } },
    ]);
  });

  test('is a day of 24 hours unless the first one says otherwise; an address can be said later', async () => {
    const services = await make();
    expect(await settle(services, {})).toEqual({ dayMs: DAY_MS });
    expect(await settle(services, { publicUrl: HERE, issuer: 'portcullis' })).toEqual({
      dayMs: DAY_MS,
      publicUrl: HERE,
      issuer: 'portcullis',
    });
  });

  test('is refused to a process that was told otherwise: each value by its variable, what is stored, and how to change it', async () => {
    const services = await make();
    await settle(services, { publicUrl: HERE });
    const failure = await settle(services, {
      dayMs: 3_600_000,
      publicUrl: 'https://other.example.com',
      issuer: 'other',
    }).then(
      () => expect.fail('it started'),
      (error: Error) => error,
    );
    expect(failure).toMatchObject({ code: 'config_invalid' });
    for (const said of [
      /PORTCULLIS_DAY: is 1h here, .* has 24h/,
      /PORTCULLIS_PUBLIC_URL: is https:\/\/other\.example\.com here, .* has https:\/\/portcullis\.example\.com,/,
      /PORTCULLIS_ISSUER: is other here, .* has https:\/\/portcullis\.example\.com,/,
      /portcullis installation set --day 1h --reason/,
      /portcullis installation set --public-url https:\/\/other\.example\.com --reason/,
      /portcullis installation set --issuer other --reason/,
    ])
      expect(failure.message).toMatch(said);
    expect(await readSettings(services.db.sql)).toEqual({ dayMs: DAY_MS, publicUrl: HERE, issuer: HERE });
  });

  test('is said by one of several that start at once', async () => {
    const services = await make();
    const days = [1_000, 2_000, 3_000, 4_000];
    // All of them have read, or wait to, before any can write.
    const starting = await services.db.sql.transaction().execute(async (tx) => {
      await tx.selectFrom('installation').select('id').forUpdate().execute();
      const all = Promise.allSettled(days.map((dayMs) => settle(services, { dayMs })));
      await expect.poll(() => waitingFor(services)).toBe(days.length);
      return { all };
    });
    const started = await starting.all;
    expect(started.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await logged(services, 'installation.settled')).toHaveLength(1);
  });
});

test.each(['0001-init', '0002-approvals'] as const)(
  'a store left at %s has said nothing yet: its first process does',
  async (last) => {
    const old = await openOldStore(last);
    await migrate(old.db);
    const settled = await settleInstallation(old.db.sql, { dayMs: 1_000, publicUrl: HERE }, new Date());
    expect(settled).toEqual({ dayMs: 1_000, publicUrl: HERE, issuer: HERE });
    await old.close();
  },
);

let api: TestApi;
let url: string;
beforeAll(async () => {
  api = await givenApi(() => createTestServices());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  await settle(api.services, { publicUrl: HERE });
  await followInstallation(api.services);
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

const set = (argv: string[], token = api.as.admin.token) =>
  runInTest(['installation', 'set', ...argv, '--reason', 'it moved', '--yes'], {
    env: { PORTCULLIS_URL: url, PORTCULLIS_TOKEN: token },
  });

test('an admin changes it by the CLI; it is logged with what it was, and the processes follow', async () => {
  const other = await createOther();
  const changed = await set(['--public-url', 'https://new.example.com', '--issuer', 'portcullis']);
  expect(changed.flat).toContain('THE INSTALLATION WAS CHANGED');
  expect(changed.flat).toContain(`https://new.example.com (before: ${HERE})`);
  expect(changed.flat).toMatch(/Credentials that name the old issuer live until/);
  expect(await logged(api.services, 'installation.changed')).toMatchObject([
    {
      data: {
        before: { dayMs: DAY_MS, publicUrl: HERE, issuer: HERE },
        after: { dayMs: DAY_MS, publicUrl: 'https://new.example.com', issuer: 'portcullis' },
        reason: 'it moved',
      },
    },
  ]);
  for (const process of [api.services, other]) {
    await followInstallation(process);
    expect(process).toMatchObject({ publicUrl: 'https://new.example.com', issuer: 'portcullis' });
  }
  const { id } = await givenApprovedAction(api.services);
  const { credential } = await beginAction(api.services, agentActor(), { id, executionId: 'e' });
  expect(decodeJwt(credential?.token ?? '').iss).toBe('portcullis');
  expect((await call(api.app, `GET /v1/actions/${id}`, { as: api.as.auditor })).json.url).toContain(
    'https://new.example.com/',
  );
  await expect(settle(api.services, { publicUrl: HERE })).rejects.toThrow(/PORTCULLIS_PUBLIC_URL/);
});

const createOther = async (): Promise<TestServices> => ({ ...api.services });

test('nobody else does, and nothing that is none is taken', async () => {
  const bound = await givenToken(api.services, 'admin', { agent: 'desk' });
  const before = await readSettings(api.services.db.sql);
  for (const token of [api.as.olga.token, api.as.auditor.token, bound.token])
    expect(await set(['--day', '1h'], token)).toMatchObject({ code: 3 });
  for (const wrong of [
    ['--day', '25h'],
    ['--day', 'soon'],
    ['--public-url', 'here'],
    ['--issuer', 'a b'],
    [],
  ])
    expect((await set(wrong)).code).not.toBe(0);
  expect(await readSettings(api.services.db.sql)).toEqual(before);
});

test('a day of another length is refused while a rollout is open, and named', async () => {
  const { services } = api;
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, RELEASE_2_YAML);
  const { id } = await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'try' });
  const refused = await set(['--day', '1h']);
  expect(refused.code).not.toBe(0);
  expect(`${refused.flat} ${refused.err}`.replace(/\s+/g, ' ')).toContain(
    `${id} of desk is open, with days of 24h`,
  );
  await services.db.sql.updateTable('rollout').set({ ended_at: services.clock.now() }).execute();
  expect((await set(['--day', '1h'])).code).toBe(0);
  await followInstallation(services);
  expect(services.dayMs).toBe(3_600_000);
});
