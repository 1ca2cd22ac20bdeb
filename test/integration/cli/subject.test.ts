import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { actorOf, givenAdopted, givenAsked, givenPendingAction } from '../../support/fixtures.ts';
import { placesOf } from '../../support/places.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

let cli: CliHarness;
const erase = (subject: string) => ['subject', 'erase', 'desk', subject, '--reason', 'Request 88'];

beforeAll(async () => {
  cli = await startCliHarness();
  await givenAdopted(cli.services);
});
afterAll(() => cli.close());

test('asks before it erases, and where nobody can be asked wants --yes', async () => {
  await givenPendingAction(cli.services, { subject: 'Ada Lovelace', args: { id: 'R-ADA' } });
  await givenAsked(cli.services, { subject: 'Ada Lovelace', args: { id: 'R-ADA' }, tool: 'lookup' });
  expect(await cli.run(...erase('Ada Lovelace'))).toMatchObject({
    code: 2,
    err: expect.stringContaining('--yes'),
  });
  const no = await cli.runWith({ answers: [false] }, ...erase('Ada Lovelace'));
  expect(no).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was erased') });
  expect(await placesOf(cli.services, 'R-ADA', [])).not.toEqual([]);

  const yes = await cli.runWith({ answers: [true] }, ...erase('Ada Lovelace'));
  expect(yes.code).toBe(0);
  expect(yes.flat).toContain('Erased: 1 action and 1 read of desk');
  expect(tooLong(yes.out)).toEqual([]);
  for (const text of ['R-ADA', 'Ada']) expect(await placesOf(cli.services, text, [])).toEqual([]);
});

test('says what it did as JSON, and that there is nothing more', async () => {
  await givenPendingAction(cli.services, { subject: 'bob' });
  const { code, json } = await cli.run(...erase('bob'), '--yes', '--output', 'json');
  expect([code, json()]).toEqual([
    0,
    expect.objectContaining({
      state: 'done',
      actions: 1,
      reads: 0,
      agent: 'desk',
      doneAt: expect.any(String),
    }),
  ]);
  const again = await cli.run(...erase('bob'), '--yes');
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('Nothing is kept of such a subject') });
  expect(again.err).not.toContain('bob');
});

test('is an admin’s alone', async () => {
  await givenPendingAction(cli.services, { subject: 'eve' });
  for (const role of ['approver', 'release-manager', 'on-call', 'auditor']) {
    const run = await cli.as(role, role);
    expect([role, (await run(...erase('eve'), '--yes')).code]).toEqual([role, 3]);
  }
});

test('leaves it to the service when it is interrupted, and says so', async () => {
  await givenPendingAction(cli.services, { subject: 'joe' });
  const input = { agent: 'desk', subject: 'joe', reason: 'x' };
  await eraseSubject(cli.services, actorOf('admin'), input, { withinMs: 0 });
  const gate = await cli.services.db.openMigration();
  await gate.sql.connection().execute(async (connection) => {
    await sql`SELECT pg_advisory_lock(gate_key())`.execute(connection);
    const running = cli.runWith({ interrupted: () => AbortSignal.abort() }, ...erase('joe'), '--yes');
    await sql`SELECT pg_sleep(1)`.execute(connection);
    await sql`SELECT pg_cancel_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`.execute(
      connection,
    );
    const { code, flat } = await running;
    expect([code, flat]).toEqual([6, expect.stringContaining('The service goes on with erasure')]);
    await sql`SELECT pg_advisory_unlock(gate_key())`.execute(connection);
  });
  await gate.close();
});
