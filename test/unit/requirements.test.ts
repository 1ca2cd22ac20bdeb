import { existsSync, readdirSync, readFileSync } from 'node:fs';
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

test('guards stand where it is said: each file exists and holds each function that is named', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const wrong = Object.values(REQUIREMENTS).flatMap(({ guard = '' }: { guard?: string }) => {
    const files = [...guard.matchAll(/src\/[\w/.-]+\.(?:ts|sql)/g)].map(([file]) => file);
    const texts = files
      .filter((file) => existsSync(root + file))
      .map((file) => readFileSync(root + file, 'utf8'));
    const functions = [...guard.matchAll(/(\w+)\(\)/g)].map(([, name = '']) => name);
    return [
      ...files.filter((file) => !existsSync(root + file)),
      ...functions.filter((name) => !texts.some((text) => new RegExp(`\\b${name}\\b`).test(text))),
    ];
  });
  expect(wrong).toEqual([]);
});
