import { writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenAdopted, givenPendingAction, givenToken } from '../../support/fixtures.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { type CliHarness, startCliHarness } from './harness.ts';

let cli: CliHarness;

beforeAll(async () => {
  cli = await startCliHarness();
});
afterAll(() => cli.close());

test('an empty log verifies, and tail says how it fills', async () => {
  expect(await cli.run('log', 'verify')).toMatchObject({ code: 0 });
  expect((await cli.run('log', 'tail')).out).toContain('portcullis apply');
});

test('tail and show tell what happened', async () => {
  await givenAdopted(cli.services);
  const { id } = await givenPendingAction(cli.services);
  await cli.sequence();
  const tail = await cli.run('log', 'tail', '-n', '3');
  expect(tail.out).toMatch(/^#\d+ 2026-01-01 \d\d:00:00 \S+ {2}\S+\n {4}desk/m);
  expect(tooLong(tail.out)).toEqual([]);
  const about = await cli.run('log', 'show', id, '--output', 'json');
  expect(about.json<{ entries: { body: { ref: string } }[] }>().entries[0]?.body.ref).toBe(id);
  expect((await cli.run('log', 'show', '1')).out).toContain('agent.applied');
  expect(
    (await cli.run('log', 'tail', '--kind', 'release.adopted', '--output', 'json')).json(),
  ).toMatchObject({
    entries: [{ seq: expect.any(Number) }],
  });
  expect(await cli.run('log', 'show', '999')).toMatchObject({ code: 2 });
  expect(await cli.run('log', 'show', 'nothing')).toMatchObject({ code: 2 });
});

test('an id that begins with digits alone is no number of an entry', async () => {
  const { id: asked } = await givenPendingAction(cli.services);
  const id = '87825212-0000-4000-8000-000000000000';
  await sql`INSERT INTO action SELECT (jsonb_populate_record(a,
    jsonb_build_object('id', ${id}::text, 'idempotency_key', ${id}::text))).* FROM action a WHERE a.id = ${asked}`.execute(
    cli.services.db.sql,
  );
  await sql`SELECT log_append('action.asked', 'desk', ${id}, ${cli.services.clock.now()}, 'desk', '{}')`.execute(
    cli.services.db.sql,
  );
  await cli.sequence();
  const { code, out } = await cli.run('log', 'show', '87825212', '--output', 'json');
  expect({ code, ref: JSON.parse(out).entries[0].body.ref }).toEqual({ code: 0, ref: id });
});

test('tail -f goes on as entries come, until it is interrupted', async () => {
  const interrupt = new AbortController();
  const seen: string[] = [];
  const following = cli.runWith(
    {
      interrupted: () => interrupt.signal,
      onOut(text) {
        seen.push(text);
        if (text.includes('token.created')) interrupt.abort();
      },
    },
    ...['log', 'tail', '-f', '-n', '1', '--output', 'json'],
  );
  await cli.run('token', 'create', '--role', 'auditor');
  await cli.sequence();
  expect(await following).toMatchObject({ code: 0 });
  for (const line of seen) expect(JSON.parse(line)).toMatchObject({ seq: expect.any(Number) });
});

test('verify recomputes everything; a kept head proves the past; one agent is not the whole', async () => {
  const head = await cli.run('log', 'verify', '--output', 'json');
  expect(head.json()).toMatchObject({ verified: true, tail: 0 });
  writeFileSync(`${cli.cwd}/head.json`, head.out);
  await givenPendingAction(cli.services);
  await cli.sequence();
  expect((await cli.run('log', 'verify', '--against', 'head.json')).flat).toContain(
    'is the one that was kept',
  );
  const own = await givenToken(cli.services, 'auditor', { agent: 'other' });
  const blind = await cli.run('log', 'verify', '--token', own.token);
  expect(blind).toMatchObject({ code: 3 });
  expect(await cli.run('log', 'verify', '--against', 'agent.yaml')).toMatchObject({ code: 2 });
});

test('verify ends with 5 when an entry is changed, the past rewritten or the end cut off', async () => {
  const { sql: db } = cli.services.db;
  // The store refuses it: whoever does this owns the database.
  await sql`ALTER TABLE log_entry DISABLE TRIGGER ALL`.execute(db);
  const rewrite = (from: string, to: string) =>
    sql`UPDATE log_entry SET body = replace(body, ${from}, ${to}) WHERE kind = 'release.adopted'`.execute(db);
  await rewrite('"first"', '"other"');
  const changed = await cli.run('log', 'verify');
  expect(changed).toMatchObject({ code: 5 });
  expect(changed.out).toMatch(/DOES NOT VERIFY: entry \d+ was changed/);
  await rewrite('"other"', '"first"');
  expect(await cli.run('log', 'verify')).toMatchObject({ code: 0 });

  await db.deleteFrom('log_entry').where('seq', '>', 2).execute();
  expect(await cli.run('log', 'verify')).toMatchObject({ code: 0 });
  const cut = await cli.run('log', 'verify', '--against', 'head.json', '--output', 'json');
  expect(cut).toMatchObject({ code: 5 });
  expect(cut.json()).toMatchObject({ verified: false, fault: { seq: 3, fault: 'cut-off' } });
});
