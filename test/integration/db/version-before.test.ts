import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStore } from '../../support/services.ts';
import { COLUMNS } from '../../support/store.ts';

/** What the service of the version before sends (`npm run freeze`): it runs on until it is restarted. */
const STATEMENTS = readFileSync(new URL('../../stores/version-before.sql', import.meta.url), 'utf8')
  .split(/^---$/m)
  .slice(1)
  .map((text) => text.trim());

/** `select *` says nothing of what it reads. */
const TABLES: Record<string, Record<string, string>> = JSON.parse(
  readFileSync(new URL('../../stores/version-before.json', import.meta.url), 'utf8'),
);

let client: pg.Client;
beforeAll(async () => {
  client = new pg.Client({ connectionString: await createStore() });
  await client.connect();
});
afterAll(() => client.end());

/** Those that the store does not take any more: it looks up every table, column and function, and the types of all of them. */
async function refused(): Promise<string[]> {
  const wrong: string[] = [];
  for (const text of STATEMENTS) {
    await client.query('SAVEPOINT one');
    try {
      await client.query(`PREPARE one AS ${text}`);
      await client.query('DEALLOCATE one');
    } catch (error) {
      wrong.push(`${(error as Error).message}: ${text}`);
    }
    await client.query('ROLLBACK TO SAVEPOINT one');
  }
  const { rows } = await client.query<{ table: string; columns: Record<string, string> }>(COLUMNS);
  const there = new Map(rows.map(({ table, columns }) => [table, columns]));
  for (const [table, columns] of Object.entries(TABLES))
    for (const [column, type] of Object.entries(columns))
      if (there.get(table)?.[column] !== type) wrong.push(`${table}.${column} is no ${type} any more`);
  return wrong;
}

async function refusedAfter(change: string): Promise<string[]> {
  await client.query('BEGIN');
  try {
    await client.query(change);
    return await refused();
  } finally {
    await client.query('ROLLBACK');
  }
}

test('the store of this version takes what the version before sends', async () => {
  expect(STATEMENTS.length).toBeGreaterThan(50);
  expect(await refusedAfter('SELECT 1')).toEqual([]);
});

test.each([
  ['a column is gone', 'ALTER TABLE action DROP COLUMN summary CASCADE', /action\.summary is no text/],
  ['a column has another name', 'ALTER TABLE token RENAME COLUMN hash TO digest', /hash/],
  ['a column has another type', 'ALTER TABLE outbox ALTER COLUMN id TYPE text', /outbox\.id is no int8/],
  ['a function is gone', 'DROP FUNCTION raise_epoch() CASCADE', /raise_epoch\(\) does not exist/],
  [
    'a function takes something else',
    `DROP FUNCTION store_credential(uuid, uuid, text, timestamptz, timestamptz);
     CREATE FUNCTION store_credential(p_id uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true'`,
    /store_credential/,
  ],
])('it would be seen that %s', async (_, change, says) => {
  expect((await refusedAfter(change)).join('\n')).toMatch(says);
});
