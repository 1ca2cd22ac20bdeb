import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { givenFor } from './docs-given.ts';
import { DocsWorld } from './docs-world.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const GENERATED = ['docs/errors.md', 'docs/exit-codes.md'];
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
].filter((page) => !GENERATED.includes(page));

/** Commands of a page: in its shell blocks, and the examples in the help of each command. */
function commandsOf(page: string): string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const shell = [...text.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  );
  const examples = [...text.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => line);
  return [...shell, ...examples]
    .map((line) => line.trim())
    .filter((line) => /\bportcullis [a-z]/.test(line) && !line.startsWith('temporal '));
}

/** These go on until they are stopped, and have tests of their own: test/unit/cli/up.test.ts, test/e2e. */
const isService = (line: string): boolean => /^(npx )?portcullis up\b/.test(line);

const FOUND = PAGES.flatMap((page) => commandsOf(page).map((line) => ({ page, line })));
const ONCE = [...new Map(FOUND.map((one) => [one.line, one])).values()].filter(
  ({ line }) => !isService(line),
);

let world: DocsWorld;
beforeAll(async () => {
  world = await DocsWorld.start();
});
afterAll(() => world.close());

test('the commands are found', () => {
  expect(ONCE.length).toBeGreaterThan(60);
  for (const page of ['README.md', 'docs/rollouts.md', 'docs/waiting.md', 'docs/cli.md'])
    expect(ONCE.map((one) => one.page)).toContain(page);
});

/** What bash makes of a line: the arguments of `portcullis`, and the file its output goes to. */
function readByBash(line: string, cwd: string, ID = ''): { argv: string[]; into?: string } {
  const redirection = / > (\S+)(?: *#.*)?$/;
  const script = `portcullis() { printf '%s\\0' "$@"; }\nnpx() { "$@"; }\n${line.replace(redirection, '')}`;
  const printed = execFileSync('bash', ['-c', script], { cwd, env: { PATH: process.env.PATH, ID } });
  return { argv: String(printed).split('\0').slice(0, -1), into: redirection.exec(line)?.[1] };
}

test.each(ONCE)('$page: $line', async ({ line }) => {
  const { id, words = {}, codes = [0], env, cwd = world.cwd, says = '' } = await givenFor(world, line);
  const written = line
    .replace(/(?<!\$)\b(6f1d6f0e|0193a7c4-5e2f(?:-7abc)?|ID|ACTION)\b/g, (word) => id ?? word)
    .replace(/\b(?:(?:inc|fu|rev)-[0-9a-f]{10}|2026-W47)\b/g, (word) => words[word] ?? word);
  const { argv, into } = readByBash(written, cwd, id);
  const { code, out, err } = await world.run(argv, env, cwd);
  expect(codes, `${out}\n${err}`).toContain(code);
  expect(err).toContain(says);
  if (into) world.write(into, out, cwd);
  if (argv[0] === 'disable' || argv[0] === 'enable') await world.enable();
});
