import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { REQUIREMENTS } from '../requirements.ts';

const TESTS = fileURLToPath(new URL('../', import.meta.url));

const sources = readdirSync(TESTS, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => readFileSync(TESTS + file, 'utf8'))
  .join('\n');

test('every requirement is cited by a test', () => {
  const uncited = Object.keys(REQUIREMENTS).filter(
    (id) => !new RegExp(`verifies\\(\\s*'${id}'`).test(sources),
  );
  expect(uncited).toEqual([]);
});

test('every "must never" names the guard whose removal turns its test red', () => {
  const unguarded = Object.entries(REQUIREMENTS).filter(
    ([id, { guard }]) => id.startsWith('never:') && !guard,
  );
  expect(unguarded).toEqual([]);
});
