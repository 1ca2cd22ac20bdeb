import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readStatements } from '../../../src/db/sql-files.ts';
import { readCode } from '../../../src/db/stored-code.ts';

const DB = fileURLToPath(new URL('../../../src/db/', import.meta.url));
const functions = () => readCode(readStatements(`${DB}functions`));

test('every file is read, however deep it lies, in the order of the names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-sql-'));
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'c.sql'), 'three\n---\nfour\n');
  writeFileSync(join(folder, 'a/b/x.sql'), 'one\n');
  writeFileSync(join(folder, 'a/y.sql'), 'two --- still two\n');
  writeFileSync(join(folder, 'a/notes.md'), 'no SQL\n');
  expect(readStatements(folder)).toEqual(['one', 'two --- still two', 'three', 'four']);
  rmSync(folder, { recursive: true });
});

test('a function or a trigger is known by what DROP calls it and by what cannot be replaced', () => {
  const [fn, trigger] = readCode([
    `-- CREATE FUNCTION other() RETURNS int AS $$
CREATE FUNCTION begin_it(p_id uuid,
  OUT a action) RETURNS SETOF record LANGUAGE plpgsql SET lock_timeout = '200ms' AS $$ BEGIN RETURN; END $$;`,
    'CREATE TRIGGER tells AFTER INSERT OR UPDATE ON switch\n  FOR EACH ROW EXECUTE FUNCTION tell();',
  ]);
  expect(fn).toMatchObject({ kind: 'FUNCTION', identity: 'begin_it(p_id uuid, OUT a action)' });
  expect(fn?.head).toMatch(
    /^CREATE FUNCTION begin_it\(.*SETOF record LANGUAGE plpgsql SET lock_timeout = '200ms'$/,
  );
  expect(trigger).toMatchObject({ kind: 'TRIGGER', identity: 'tells ON switch', head: 'tell()' });
});

test.each([
  ['a table', 'CREATE TABLE x (id int)', /neither/],
  ['a function of another schema', 'CREATE FUNCTION a.f() RETURNS int AS $$ $$', /neither/],
  [
    'a function that stands there already',
    'CREATE FUNCTION one(x int) RETURNS int AS $$ $$',
    /FUNCTION one .*twice/,
  ],
])('%s is refused', (_, statement, words) => {
  const first = 'CREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$';
  expect(() => readCode([first, statement])).toThrow(words);
});

test('what the version before still calls may stand beside what takes its place, once', () => {
  const now = 'CREATE FUNCTION one(x int) RETURNS int LANGUAGE sql AS $$ SELECT x $$';
  const before =
    '-- For the version before, which hands over nothing.\nCREATE FUNCTION one() RETURNS int LANGUAGE sql AS $$ SELECT one(1) $$';
  expect(readCode([before, now]).map(({ identity }) => identity)).toEqual(['one()', 'one(x int)']);
  expect(() => readCode([before, now, before])).toThrow(/twice/);
});

test('migrations make tables: no function, no trigger, and they call none of the folder', () => {
  const names = functions().map(({ identity }) => identity.split(/[ (]/)[0]);
  const makes = /\bCREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE|TRIGGER|VIEW)\s+(?!pg_temp\.)/i;
  const calls = new RegExp(`\\b(${names.join('|')})\\s*\\(`);
  const wrong = (statement: string) =>
    makes.test(statement) || calls.test(statement.replace(/'[^']*'|--.*$/gm, ''));
  expect(wrong('SELECT x;\nPERFORM log_append(1)')).toBe(true);
  expect(wrong('create or replace function f() returns int')).toBe(true);
  expect(wrong("CREATE FUNCTION pg_temp.f() RETURNS int; SELECT 'log_append(text)'")).toBe(false);
  expect(readStatements(`${DB}migrations`).filter(wrong)).toEqual([]);
});
