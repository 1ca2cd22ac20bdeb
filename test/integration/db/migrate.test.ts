import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { migrationSteps } from '../../../src/db/migration-steps.ts';
import { prepareStore } from '../../../src/db/prepare-store.ts';
import { openEmptyStore, openOldStore } from '../../support/old-store.ts';
import { until } from '../../support/service-process.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../src/db/migrations/', import.meta.url));
const open: { close(): Promise<void> }[] = [];
const folders: string[] = [];
afterAll(async () => {
  for (const one of open.reverse()) await one.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function opened<T extends { close(): Promise<void> }>(store: Promise<T>): Promise<T> {
  open.push(await store);
  return store;
}

async function migratedStore() {
  const store = await opened(openEmptyStore());
  await migrate(store.db);
  return store;
}

/** The migrations of this version and those of a later one. */
function laterSteps(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-migrations-'));
  folders.push(folder);
  cpSync(MIGRATIONS, folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return migrationSteps(folder);
}

async function client(url: string, name: string): Promise<pg.Client> {
  const one = new pg.Client({ connectionString: url, application_name: name });
  one.on('error', () => {});
  await one.connect();
  open.push({ close: () => one.end().catch(() => {}) });
  return one;
}

const answer = async ({ sql: db }: Database, expression: string) =>
  (await sql<{ x: unknown }>`SELECT ${sql.raw(expression)} AS x`.execute(db)).rows[0]?.x;
const isValid = (db: Database, index: string) =>
  answer(db, `(SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('${index}'))`);
const start = ({ db, url }: { db: Database; url: string }) => prepareStore(db, { url, isOurs: false });

describe('a service on a Postgres that is not its own', () => {
  test.each([
    ['an empty one', openEmptyStore, /holds no Portcullis yet\. Run portcullis migrate/],
    ['an older one', () => openOldStore('0002-approvals'), /it lacks 0003-functions, .*portcullis migrate/],
  ])('refuses %s, names the command, and changes nothing', async (_, make, says) => {
    const store = await opened(make());
    const tables = () => answer(store.db, "(SELECT count(*)::int FROM pg_class WHERE relkind = 'r')");
    const before = await tables();
    await expect(start(store)).rejects.toMatchObject({
      code: 'setup_failed',
      message: expect.stringMatching(says),
    });
    expect(await tables()).toBe(before);
    await migrate(store.db);
    await start(store);
  });

  test('refuses a newer one, and so do migrate and a service on its own store', async () => {
    const store = await migratedStore();
    await migrate(store.db, { steps: laterSteps({ '9001-later/1-x.sql': 'CREATE TABLE later (id int)' }) });
    const newer = {
      code: 'setup_failed',
      message: expect.stringMatching(/newer than this version.*9001-later/),
    };
    await expect(start(store)).rejects.toMatchObject(newer);
    await expect(migrate(store.db)).rejects.toMatchObject(newer);
    await expect(prepareStore(store.db, { url: store.url, isOurs: true })).rejects.toMatchObject(newer);
  });

  test('refuses one with the functions of another version', async () => {
    const store = await migratedStore();
    await sql`UPDATE stored_code SET digest = 'another' WHERE identity LIKE 'begin_action(%'`.execute(
      store.db.sql,
    );
    await expect(start(store)).rejects.toMatchObject({
      message: expect.stringContaining('functions of another'),
    });
    await migrate(store.db);
    await start(store);
  });

  test('brings its own along', async () => {
    const store = await opened(openOldStore('0001-init'));
    await prepareStore(store.db, { url: store.url, isOurs: true });
    await start(store);
  });
});

test('portcullis migrate says what it would do, does it, and says what is done', async () => {
  const store = await opened(openOldStore('0002-approvals'));
  const run = (...argv: string[]) => runInTest(['migrate', ...argv], { env: { DATABASE_URL: store.url } });
  const planned = await run('--dry-run');
  expect(planned).toMatchObject({ code: 0 });
  expect(planned.out.indexOf('0003-functions: in one transaction')).toBeLessThan(
    planned.out.indexOf('0004-service:'),
  );
  expect(planned.out).toContain('CREATE TABLE stop_intent (');
  expect(planned.out).toMatch(/create function begin_action/);
  expect(planned.out).toContain('Nothing was done.');
  const before = await run('status', '--output', 'json');
  expect(before).toMatchObject({ code: 1 });
  const newestKnown = migrationSteps().at(-1)?.name;
  expect(before.json()).toMatchObject({
    current: false,
    newestKnown,
    applied: [{ name: '0001-init' }, { name: '0002-approvals' }],
    pending: migrationSteps()
      .slice(2)
      .map(({ name }) => name),
  });
  expect(await run()).toMatchObject({ code: 0, err: expect.stringContaining('0003-functions\n') });
  const after = await run('status');
  expect(after).toMatchObject({ code: 0 });
  expect(after.flat).toMatch(
    new RegExp(`Newest known ${newestKnown} Pending nothing Functions of this version`),
  );
  expect((await run('--dry-run')).out).toContain('Nothing is to do.');
  expect((await runInTest(['migrate'])).err).toContain('DATABASE_URL is not set');
});

describe('while others work', () => {
  const step = { '9001-later/1-x.sql': 'ALTER TABLE action ADD COLUMN later int' };

  test('a lock that is held is tried for, and everyday statements hardly wait behind it', async () => {
    const store = await migratedStore();
    const holder = await client(store.url, 'a long report');
    await holder.query('BEGIN; SELECT count(*) FROM action');
    const reader = await client(store.url, 'reader');
    const said: string[] = [];
    let done = false;
    const migrating = migrate(store.db, { steps: laterSteps(step), say: (line) => said.push(line) }).then(
      () => {
        done = true;
      },
    );
    let longestMs = 0;
    for (const startedAt = performance.now(); performance.now() - startedAt < 4_000; ) {
      const askedAt = performance.now();
      await reader.query('SELECT count(*) FROM action');
      longestMs = Math.max(longestMs, performance.now() - askedAt);
    }
    expect(done).toBe(false);
    // Behind a lock that is waited for without a limit it would be all of the time.
    expect(longestMs).toBeLessThan(1_500);
    expect(said.join('\n')).toMatch(
      /9001-later waits for a lock that others hold: a long report, backend \d+/,
    );
    await holder.query('COMMIT');
    await migrating;
    expect(await answer(store.db, '(SELECT count(later)::int FROM action)')).toBe(0);
  });

  test('it gives up when its patience is over, names who holds it, and nothing of the step is done', async () => {
    const store = await migratedStore();
    const holder = await client(store.url, 'a long report');
    await holder.query('BEGIN; SELECT count(*) FROM action');
    const steps = laterSteps({ '9001-later/0-first.sql': 'CREATE TABLE first (id int)', ...step });
    await expect(migrate(store.db, { steps, patienceMs: 0 })).rejects.toThrow(
      /9001-later needs a lock that others hold \(a long report, backend \d+, open for \d+ s/,
    );
    expect(await answer(store.db, "to_regclass('first')::text")).toBeNull();
    await holder.query('COMMIT');
    await migrate(store.db, { steps });
    expect(await answer(store.db, "to_regclass('first')::text")).toBe('first');
  });
});

describe('beside everyday work', () => {
  const files = {
    '9001-later/1-x.sql': 'ALTER TABLE subject ADD COLUMN later int',
    '9001-later/2-concurrently.sql':
      '-- For whoever looks by it.\nCREATE INDEX CONCURRENTLY subject_later\n  ON subject (later)\n---\nCREATE UNIQUE INDEX CONCURRENTLY subject_named ON subject (name)',
  };

  test('an index is made without a transaction, once, also by six processes', async () => {
    const store = await migratedStore();
    const steps = laterSteps(files);
    const processes = await Promise.all(
      Array.from({ length: 6 }, () => opened(openDatabase({ url: store.url, poolSize: 1 }))),
    );
    const done = await Promise.all(processes.map((db) => migrate(db, { steps })));
    expect(done.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await isValid(store.db, 'subject_later')).toBe(true);
    const names = sql`SELECT name FROM kysely_migration WHERE name LIKE '9001%' ORDER BY 1`;
    expect((await names.execute(store.db.sql)).rows).toEqual([
      { name: '9001-later' },
      { name: '9001-later/2-concurrently' },
    ]);
  });

  test('what a process left half made when it died is dropped and made again', async () => {
    const store = await migratedStore();
    const steps = laterSteps(files);
    const holder = await client(store.url, 'a long report');
    await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
    // An index is not valid before every transaction has ended that may still look past it.
    const dying = migrate(store.db, { steps }).catch((error: unknown) => error);
    await until('a half made index', async () => (await isValid(store.db, 'subject_later')) === false);
    const before = await answer(store.db, "'subject_later'::regclass::oid::int");
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'portcullis migration'`.execute(store.db.sql);
    expect(await dying).toBeInstanceOf(Error);
    expect(await isValid(store.db, 'subject_later')).toBe(false);
    await holder.query('COMMIT');
    await migrate(store.db, { steps });
    expect(await isValid(store.db, 'subject_later')).toBe(true);
    expect(await answer(store.db, "'subject_later'::regclass::oid::int")).not.toBe(before);
  });

  test('one that the data refuse is told, and made once they are mended', async () => {
    const store = await migratedStore();
    const steps = laterSteps(files);
    const name = (id: number, text: string) =>
      sql`INSERT INTO subject (agent, name, key) VALUES (${`agent-${id}`}, ${text}, '')`.execute(
        store.db.sql,
      );
    await name(1, 'ana');
    await name(2, 'ana');
    await expect(migrate(store.db, { steps })).rejects.toThrow(/subject_named/);
    expect(await isValid(store.db, 'subject_named')).toBe(false);
    await sql`DELETE FROM subject WHERE agent = 'agent-2'`.execute(store.db.sql);
    await migrate(store.db, { steps });
    expect(await isValid(store.db, 'subject_named')).toBe(true);
    // The first of the file was left as it was.
    expect(await isValid(store.db, 'subject_later')).toBe(true);
  });

  test('what could not be repeated is refused before it is run', async () => {
    const store = await migratedStore();
    const steps = laterSteps({ '9001-later/1-concurrently.sql': 'CREATE TABLE twice (id int)' });
    await expect(migrate(store.db, { steps })).rejects.toThrow('Cannot be repeated after a crash');
    expect(await answer(store.db, "to_regclass('twice')::text")).toBeNull();
  });

  test('nothing follows it in its folder', () => {
    const later = { ...files, '9001-later/3-y.sql': 'CREATE TABLE y (id int)' };
    expect(() => laterSteps(later)).toThrow(/what follows 2-concurrently\.sql belongs into the next/);
  });
});
