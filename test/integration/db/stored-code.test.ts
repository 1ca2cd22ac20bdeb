import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { checkDatabase } from '../../../src/cli/doctor/database.ts';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { readStatements } from '../../../src/db/sql-files.ts';
import { isCurrent, readStoreState } from '../../../src/db/store-state.ts';
import { applyStoredCode } from '../../../src/db/stored-code.ts';
import { openEmptyStore, openOldStore } from '../../support/old-store.ts';

const FUNCTIONS = fileURLToPath(new URL('../../../src/db/functions/', import.meta.url));
const open: { close(): Promise<void> }[] = [];
const folders: string[] = [];
afterAll(async () => {
  await Promise.all(open.map((store) => store.close()));
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function opened<T extends { close(): Promise<void> }>(store: Promise<T>): Promise<T> {
  open.push(await store);
  return store;
}

/** Everything the catalogue says of functions, triggers and tables, but not when each was made. */
async function catalogueOf({ sql: db }: Database) {
  const { rows: functions } = await sql<{ name: string; text: string }>`
    SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS text FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace ORDER BY 1`.execute(db);
  const { rows: triggers } = await sql`
    SELECT pg_get_triggerdef(t.oid) AS text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND NOT c.relispartition ORDER BY 1`.execute(db);
  const { rows: columns } = await sql`
    SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = current_schema() ORDER BY 1, 2`.execute(db);
  return { functions, triggers, columns };
}

/** A copy of the folder of functions with one file more, in a folder of its own. */
function folderWith(text: string, without: string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-functions-'));
  folders.push(folder);
  cpSync(FUNCTIONS, folder, { recursive: true });
  for (const file of without) rmSync(join(folder, file));
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  writeFileSync(join(folder, 'deep/er/more.sql'), text);
  return folder;
}

const applyTo = ({ sql: db }: Database, folder: string) =>
  db.transaction().execute((tx) => applyStoredCode(tx, folder));
const answer = async ({ sql: db }: Database, expression: string) =>
  (await sql<{ x: unknown }>`SELECT ${sql.raw(expression)} AS x`.execute(db)).rows[0]?.x;

test.each(['0001-init', '0002-approvals'] as const)(
  'a store left at %s becomes what a fresh one is',
  async (last) => {
    const [old, fresh] = await Promise.all([opened(openOldStore(last)), opened(openEmptyStore())]);
    expect((await catalogueOf(old.db)).functions).not.toEqual([]);
    await migrate(old.db);
    await migrate(fresh.db);
    const [upgraded, made] = await Promise.all([catalogueOf(old.db), catalogueOf(fresh.db)]);
    expect(upgraded).toEqual(made);
    expect(made.functions).toHaveLength(
      readStatements(FUNCTIONS).filter((s) => /^CREATE FUNCTION/m.test(s)).length,
    );
    expect(made.triggers).toHaveLength(
      readStatements(FUNCTIONS).filter((s) => /^CREATE TRIGGER/m.test(s)).length,
    );
    expect(isCurrent(await readStoreState(old.db.sql))).toBe(true);
  },
);

test('a migration may take longer than an everyday statement', async () => {
  const { db } = await opened(openOldStore('0001-init'));
  await sql`CREATE FUNCTION unhurried() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('statement_timeout') <> '0' THEN RAISE EXCEPTION 'it is hurried'; END IF; RETURN NEW; END $$`.execute(
    db.sql,
  );
  await sql`CREATE TRIGGER unhurried BEFORE INSERT ON kysely_migration EXECUTE FUNCTION unhurried()`.execute(
    db.sql,
  );
  await migrate(db);
  expect(isCurrent(await readStoreState(db.sql))).toBe(true);
});

test.each(['an empty store', 'one of 0.1.0'])('six processes bring %s up at once', async (which) => {
  const store = await opened(which === 'an empty store' ? openEmptyStore() : openOldStore('0001-init'));
  const processes = await Promise.all(
    Array.from({ length: 6 }, () => opened(openDatabase({ url: store.url, poolSize: 1 }))),
  );
  await Promise.all(processes.map((db) => migrate(db)));
  expect(isCurrent(await readStoreState(store.db.sql))).toBe(true);
  const folder = folderWith('CREATE FUNCTION fresh() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\n');
  await Promise.all(processes.map((db) => applyTo(db, folder)));
  expect(await answer(store.db, 'fresh()')).toBe(1);
  expect(isCurrent(await readStoreState(store.db.sql))).toBe(false);
});

test('arguments, results and bodies follow the files, and what no file names is gone; other people keep theirs', async () => {
  const { db } = await opened(openEmptyStore());
  // Called alike, but it takes something else: not ours.
  await sql`CREATE FUNCTION iso(p int) RETURNS int LANGUAGE sql AS 'SELECT p'`.execute(db.sql);
  await migrate(db);
  const before = await catalogueOf(db);
  const said = (returns: string, value: string) =>
    `CREATE FUNCTION said(p int) RETURNS ${returns} LANGUAGE sql AS $$ SELECT ${value} $$;
---
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
---
CREATE TRIGGER tells AFTER INSERT ON switch FOR EACH ROW EXECUTE FUNCTION tell();
`;
  await applyTo(db, folderWith(said('int', 'p + 1')));
  expect(await answer(db, 'said(1)')).toBe(2);
  await applyTo(db, folderWith(said('int', 'p + 2')));
  expect(await answer(db, 'said(1)')).toBe(3);
  await applyTo(db, folderWith(said('text', "p || '!'")));
  expect(await answer(db, 'said(1)')).toBe('1!');
  await applyTo(db, folderWith(said('text', "p || '?'").replace('said(p int)', 'said(p text, q int)')));
  expect(await answer(db, "said('1', 1)")).toBe('1?');
  await expect(answer(db, 'said(1)')).rejects.toThrow('does not exist');
  // The trigger stays as it is, and the function it holds changes all the same.
  const stable = said('int', 'p').replace('LANGUAGE plpgsql', 'LANGUAGE plpgsql STABLE');
  await applyTo(db, folderWith(stable));
  expect((await catalogueOf(db)).triggers).toContainEqual({ text: expect.stringContaining('TRIGGER tells') });
  await applyTo(db, FUNCTIONS);
  expect(await catalogueOf(db)).toEqual(before);
  expect(await answer(db, 'iso(7)')).toBe(7);
});

test('a file that is wrong changes nothing', async () => {
  const { db } = await opened(openEmptyStore());
  await migrate(db);
  const before = await catalogueOf(db);
  const wrong =
    'CREATE FUNCTION a() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\n---\nCREATE FUNCTION b() RETURNS nonsense LANGUAGE sql AS $$ $$;\n';
  await expect(applyTo(db, folderWith(wrong, ['posts.sql']))).rejects.toThrow('nonsense');
  expect(await catalogueOf(db)).toEqual(before);
});

test('what did not change is not touched: a start takes no lock that a request waits for', async () => {
  const { db } = await opened(openEmptyStore());
  await migrate(db);
  const versions = async () =>
    (
      await sql`SELECT proname, xmin::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace`.execute(
        db.sql,
      )
    ).rows;
  const before = await versions();
  await migrate(db);
  await applyTo(db, folderWith('CREATE FUNCTION zz() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\n'));
  expect(await versions()).toEqual(expect.arrayContaining(before));
});

test('the body of every function is one that Postgres accepts where it stands', async () => {
  const { db } = await opened(openEmptyStore());
  await migrate(db);
  for (const statement of readStatements(FUNCTIONS))
    await sql.raw(statement.replace(/^CREATE /m, 'CREATE OR REPLACE ')).execute(db.sql);
});

test('doctor says whether the functions are those of its version', async () => {
  const { db, url } = await opened(openEmptyStore());
  await migrate(db);
  const schema = async () =>
    (await checkDatabase({ url, by: 'DATABASE_URL', isEmbedded: false })).find(
      ({ name }) => name === 'schema',
    );
  expect(await schema()).toMatchObject({ state: 'ok' });
  await applyTo(db, folderWith('CREATE FUNCTION zz() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;\n'));
  expect(await schema()).toMatchObject({ state: 'warn', detail: expect.stringContaining('another version') });
});
