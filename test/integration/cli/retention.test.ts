import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePartitions } from '../../../src/db/partitions.ts';
import { RETENTION } from '../../../src/domain/retention.ts';
import { givenAdopted, givenAsked } from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await startCliHarness();
});
afterAll(() => cli.close());

test('a store that is new keeps nothing that could go, and says how long it will', async () => {
  const { code, out, flat } = await cli.run('retention', 'status');
  expect(code).toBe(0);
  expect(tooLong(out)).toEqual([]);
  for (const [kept, { variable, standard, reason }] of Object.entries(RETENTION)) {
    expect(out).toMatch(new RegExp(`^${kept} +${Number.parseInt(standard, 10)} days .*nothing yet$`, 'm'));
    expect(flat).toContain(`${kept} (${variable}): ${reason}`);
  }
  expect(flat).toContain('Nothing is held');
  expect(flat).toContain('begins with its first entry');
});

test('it says what goes next and when, and that a hold keeps it', async () => {
  const { services } = cli;
  await makePartitions(services.db, services.clock.now());
  await givenAdopted(services);
  await givenAsked(services);
  const line = async () => /^actions .*$/m.exec((await cli.run('retention', 'status')).out)?.[0];
  expect(await line()).toMatch(/kB +2026-01-01 +in 4\d\d days/);
  const held = await cli.run('retention', 'hold', '--reason', 'Audit of May');
  expect(held.flat).toContain('Hold 1 is in force');
  expect(await line()).toMatch(/ held$/);
  const status = await cli.run('retention', 'status');
  expect(tooLong(status.out)).toEqual([]);
  expect(status.out).toMatch(/^1 +Audit of May +2026-01-01 .* by ana$/m);
  const { holds, kinds } = (await cli.run('retention', 'status', '--output', 'json')).json<{
    holds: unknown[];
    kinds: { kept: string; bytes: number; oldest?: string; nextDrop?: string }[];
  }>();
  expect(holds).toEqual([
    { id: 1, reason: 'Audit of May', heldBy: 'ana', heldAt: '2026-01-01T00:00:00.000Z' },
  ]);
  expect(kinds.find(({ kept }) => kept === 'actions')).toMatchObject({
    bytes: expect.any(Number),
    oldest: '2026-01-01T00:00:00.000Z',
  });
  expect((await cli.run('retention', 'release', '1', '--reason', 'over')).flat).toContain('is released');
  expect(await line()).toMatch(/ in 4\d\d days/);
  const { rows } = await sql<{
    kind: string;
  }>`SELECT kind FROM log_unnumbered WHERE kind LIKE 'retention.%' ORDER BY id`.execute(services.db.sql);
  expect(rows.map(({ kind }) => kind)).toEqual(['retention.held', 'retention.released']);
});

test('what cannot be is refused, in words', async () => {
  expect(await cli.run('retention', 'hold')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--reason'),
  });
  expect(await cli.run('retention', 'hold', '--reason', ' ')).toMatchObject({ code: 2 });
  expect(await cli.run('retention', 'release', 'all', '--reason', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('whole number'),
  });
  for (const id of ['1', '99'])
    expect(await cli.run('retention', 'release', id, '--reason', 'x')).toMatchObject({
      code: 2,
      err: expect.stringContaining(`no hold ${id} in force`),
    });
  const auditor = await cli.as('aud', 'auditor');
  const { id } = (await auditor('retention', 'hold', '--reason', 'court', '--output', 'json')).json<{
    id: number;
  }>();
  expect(await auditor('retention', 'release', String(id), '--reason', 'x')).toMatchObject({ code: 3 });
  expect(await (await cli.as('ap', 'approver'))('retention', 'status')).toMatchObject({ code: 3 });
});
