import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

const textOf = (path: string): string =>
  readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

test('the case of docs/regression-cases.md is that of the airline example', () => {
  const shown = /```yaml\n([^`]*)```/.exec(textOf('docs/regression-cases.md'))?.[1] ?? '';
  expect(parse(shown)).toEqual(parse(textOf('examples/airline/cases/cancel-unvouched.yaml')));
});
