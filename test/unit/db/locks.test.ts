import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LOCKS } from '../../../src/db/exclusive.ts';
import { MIGRATION_LOCK } from '../../../src/db/migrate.ts';
import { readStatements } from '../../../src/db/sql-files.ts';
import { STORED_CODE_LOCK } from '../../../src/db/stored-code.ts';

test('no two kinds of work wait for the same lock', () => {
  const functions = readStatements(fileURLToPath(new URL('../../../src/db/functions/', import.meta.url)));
  const inSql = functions.flatMap((text) =>
    [...text.matchAll(/\b727\d{3}\b/g)].map(([number]) => Number(number)),
  );
  expect(inSql.length).toBeGreaterThan(2);
  const numbers = [...Object.values(LOCKS), MIGRATION_LOCK, STORED_CODE_LOCK];
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.filter((number) => inSql.includes(number))).toEqual([]);
});
