import { createServer, type Server } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import type { Disabled } from '../../../src/cli/disable-scope.ts';
import { shortId } from '../../../src/cli/text/ids.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { testPostgres } from '../../support/context.ts';
import {
  agentActor,
  givenAdopted,
  givenApprovedAction,
  givenBegunAction,
  givenPendingAction,
} from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

describe('disable and enable by the API', () => {
  let cli: CliHarness;

  beforeAll(async () => {
    cli = await startCliHarness();
    await givenAdopted(cli.services);
  });
  afterAll(() => cli.close());

  test('drops the gate and says what had begun and until when credentials live', async () => {
    const begun = await givenBegunAction(cli.services);
    await givenPendingAction(cli.services);
    const { code, out } = await cli.run('disable', 'desk', '--reason', 'it cancels too much');
    expect(code).toBe(0);
    expect(out).toMatch(/^CLOSED in [\d.]+ m?s by the API: no write of agent\/desk begins any more\./);
    expect(out).toContain('1 that waited or were approved');
    expect(out).toContain(shortId(begun.id));
    expect(out).toContain('the last one lives until 2026-01-01');
    expect(out).toContain('portcullis enable agent/desk');
    expect(tooLong(out)).toEqual([]);
    const asked = await cli.run('action', 'ask', 'desk', 'cancel', '--args', '{"id": "R-2"}');
    expect(asked).toMatchObject({ code: 1 });
  });

  test('--wait drained waits until what had begun is over', async () => {
    const [{ action } = { action: '' }] = (
      await cli.run('disable', 'desk', '--reason', 'again', '--output', 'json')
    ).json<Disabled>().inFlight;
    const waiting = cli.run('disable', 'desk', '--reason', 'again', '--wait', 'drained', '--output', 'json');
    await completeAction(cli.services, agentActor(), { id: action, executionId: 'e-1', ok: true });
    const drained = await waiting;
    expect(drained.code).toBe(0);
    expect(drained.json<Disabled>().stillInFlight ?? []).toEqual([]);
  });

  test('enabling an agent takes one person, everything takes two', async () => {
    const [ben, cleo] = [await cli.as('ben', 'on-call'), await cli.as('cleo', 'on-call')];
    expect((await cleo('enable', 'desk', '--reason', 'mended')).out).toContain('Enabled: agent/desk');
    expect((await cleo('enable', 'desk', '--reason', 'mended')).out).toContain('Nothing changed');
    expect(await cleo('disable', 'everything', '--reason', 'fire', '--reads')).toMatchObject({ code: 0 });
    const first = await cleo('enable', 'everything', '--reason', 'out');
    expect(first).toMatchObject({ code: 6 });
    expect(first.out).toContain('takes a second person');
    expect((await ben('enable', 'everything', '--reason', 'out', '--output', 'json')).json()).toMatchObject({
      status: 'enabled',
    });
  });

  test('a token that may not, and one that is missing, are told so', async () => {
    const auditor = await cli.as('audi', 'auditor');
    expect(await auditor('disable', 'desk', '--reason', 'x')).toMatchObject({ code: 3 });
    const without = await cli.runWith({ env: { PORTCULLIS_TOKEN: '' } }, 'disable', 'desk', '--reason', 'x');
    expect(without).toMatchObject({ code: 3 });
    expect(without.err).toContain('No token was sent');
  });
});

describe('by DATABASE_URL', () => {
  let cli: CliHarness;
  let env: NodeJS.ProcessEnv;
  let silent: Server;

  beforeAll(async () => {
    cli = await startCliHarness();
    await givenAdopted(cli.services);
    const { rows } = await sql<{ name: string }>`SELECT current_database() AS name`.execute(
      cli.services.db.sql,
    );
    const url = new URL(testPostgres().url);
    url.pathname = `/${rows[0]?.name}`;
    env = { DATABASE_URL: url.href };
    silent = createServer(() => {}).listen(0, '127.0.0.1');
  });
  afterAll(async () => {
    silent.close();
    await cli.close();
  });

  test('doctor finds the database, its clock and its version', async () => {
    const { code, out } = await cli.runWith(
      { env: { ...env, TEMPORAL_ADDRESS: '' }, now: () => new Date() },
      'doctor',
    );
    expect(out).toMatch(/^ok {4}database: Postgres \d+/m);
    expect(out).toMatch(/^ok {4}clock: /m);
    expect(out).toMatch(/^ok {4}schema: at \d{4}-[a-z]+(\/\d+-concurrently)?$/m);
    expect(out).toMatch(/^ok {4}service: answers at/m);
    expect(out).toMatch(/^warn {2}failover: not failover-safe/m);
    expect(out).not.toContain(new URL(env.DATABASE_URL ?? '').password);
    // Here runs an API alone: what is judged, told and numbered in the background, nobody does.
    expect(out).toMatch(/^fail {2}background: nobody does judge, dispatcher, sweeper,/m);
    expect(out.match(/^fail /gm)).toHaveLength(1);
    expect(code).toBe(1);
  });

  test('token create --bootstrap needs no token and is logged', async () => {
    const options = { env: { ...env, PORTCULLIS_TOKEN: '' }, user: 'ops' };
    const made = await cli.runWith(
      options,
      'token',
      'create',
      '--role',
      'admin',
      '--person',
      'olga',
      '--bootstrap',
    );
    expect(made.code).toBe(0);
    const listed = await cli.run('token', 'create', '--role', 'auditor', '--token', made.out.trim());
    expect(listed).toMatchObject({ code: 0 });
    await cli.sequence();
    expect((await cli.run('log', 'tail', '--kind', 'token.created')).out).toContain('by cli ops');
  });

  test('a begin that is stuck is ended and named', async () => {
    const stuck = new pg.Client({ connectionString: env.DATABASE_URL, application_name: 'stuck begin' });
    stuck.on('error', () => {});
    await stuck.connect();
    await stuck.query('BEGIN; SELECT pg_advisory_xact_lock_shared(gate_key())');
    const result = await cli.runWith({ env }, 'disable', 'tool/desk/refund', '--reason', 'stuck', '--direct');
    await stuck.end().catch(() => {});
    expect(result.code).toBe(0);
    expect(result.flat).toMatch(/^CLOSED in 1 s/);
    expect(result.flat).toMatch(/Ended stuck begin \(backend \d+\)/);
  });

  test('the switch works while the API is down: no write begins afterwards', async () => {
    const approved = await givenApprovedAction(cli.services);
    await cli.stopApi();
    const down = await cli.run('disable', 'desk', '--reason', 'x');
    expect(down).toMatchObject({ code: 4 });
    expect(down.err).toContain('Set DATABASE_URL');

    const { code, out, err } = await cli.runWith(
      { env, user: 'omar' },
      'disable',
      'desk',
      '--reason',
      'API is down',
    );
    expect(code).toBe(0);
    expect(err).toContain('Going by DATABASE_URL');
    expect(out).toMatch(/^CLOSED in [\d.]+ m?s by the\s+database/);
    const begin = beginAction(cli.services, agentActor(), { id: approved.id, executionId: 'e-9' });
    await expect(begin).rejects.toMatchObject({ code: expect.stringMatching(/stopped|not_approved/) });
    const switches = cli.services.db.sql.selectFrom('switch').selectAll();
    const row = await switches.where('scope', '=', 'agent/desk').executeTakeFirstOrThrow();
    expect(row).toMatchObject({ disabled: true, actor: 'cli omar' });
  });

  test('an API that accepts and says nothing is given two seconds', async () => {
    const { port } = silent.address() as { port: number };
    const hung = { ...env, PORTCULLIS_URL: `http://127.0.0.1:${port}` };
    const startedAt = performance.now();
    const result = await cli.runWith(
      { env: hung },
      'disable',
      'everything',
      '--reason',
      'hangs',
      '--output',
      'json',
    );
    expect(result.json()).toMatchObject({ state: 'closed', by: 'database', scope: 'everything' });
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });

  test('--direct asks nobody else; a database that is away is said', async () => {
    const direct = ['disable', 'everything', '--reason', 'x', '--direct', '--wait', 'drained'];
    expect(await cli.runWith({ env }, ...direct)).toMatchObject({ code: 0, err: '' });
    const away = { DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${await freePort()}/gone` };
    const failed = await cli.runWith({ env: away }, ...direct);
    expect(failed).toMatchObject({ code: 4 });
    expect(failed.err).toMatch(/^The database 127\.0\.0\.1:\d+\/gone does not answer/);
    expect(failed.err).not.toContain('secret');
  });
});
