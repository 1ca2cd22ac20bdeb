import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** How fast it starts is for the bench: here is shown why. */
const SERVICE = /^(@fastify|@slack|@temporalio|fastify|kysely|pg|pino|prom-client|yaml|tsx|esbuild|undici)/;
const OWN_FILES_MAX = 90;
const MINUTE_MS = 60_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-compiled-'));
  for (const part of ['package.json', 'bin', 'src', 'workflows', 'activities'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(folder, 'bin/build.js')]);
}, MINUTE_MS);

/** Runs one command, which files it loaded, and from where. */
function started(...argv: string[]): { out: string; loaded: string[]; runs: string } {
  const coverage = mkdtempSync(join(tmpdir(), 'portcullis-loaded-'));
  const { stdout } = spawnSync(process.execPath, [join(folder, 'bin/portcullis.js'), ...argv], {
    encoding: 'utf8',
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
  });
  const loaded = readdirSync(coverage).flatMap((file) => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as {
      result: { url: string }[];
    };
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  });
  return { out: stdout, loaded, runs: isCompiled() };
}

const isCompiled = (): string =>
  execFileSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { isCurrent } from ${JSON.stringify(join(folder, 'bin/compiled.js'))}; console.log(isCurrent() ? 'compiled' : 'sources')`,
    ],
    { encoding: 'utf8' },
  ).trim();

const packagesOf = (loaded: readonly string[]): string[] =>
  [...new Set(loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []))].sort();

test.each([['--version'], ['action', 'list', '--help'], ['rollout', 'status', '--help']])(
  '%s %s %s loads what prints, and nothing of the service',
  (...argv) => {
    const { loaded, out } = started(...argv);
    expect(out).not.toBe('');
    expect(packagesOf(loaded)).toContain('commander');
    expect(packagesOf(loaded).filter((name) => SERVICE.test(name))).toEqual([]);
    expect(loaded.filter((url) => !url.includes('/node_modules/')).length).toBeLessThan(OWN_FILES_MAX);
  },
);

test('compiled or not, it is the same program', () => {
  const manifest = 'agent: a\npeople: { b: {}, c: {} }\nowners: [c]\napprovers: { d: [b] }\ntools: {}\n';
  writeFileSync(join(folder, 'agent.yaml'), manifest);
  const check = ['apply', '--check', join(folder, 'agent.yaml'), '--output', 'json'];
  const compiled = started(...check);
  expect(compiled.runs).toBe('compiled');
  expect(started('schema', 'release').out).toContain('"title": "Portcullis release"');
  const file = join(folder, 'src/cli/failure.ts');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('Something went wrong', 'Something went WRONG'));
  expect(isCompiled()).toBe('sources');
  expect(started(...check).out).toBe(compiled.out);
  writeFileSync(file, text);
  utimesSync(file, new Date(), new Date());
  expect(isCompiled()).toBe('compiled');
  writeFileSync(join(folder, 'src/new.ts'), '');
  expect(isCompiled()).toBe('sources');
});
