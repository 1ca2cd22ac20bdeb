import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** A start may take 300 ms of a processor; here others want it too, and time on the wall says nothing. */
const START_CPU_MS_MAX = 300;
const MINUTE_MS = 60_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-compiled-'));
  for (const part of ['package.json', 'bin', 'src', 'workflows', 'activities'])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(folder, 'bin/build.js')]);
}, MINUTE_MS);

/** Runs one command, and how much of a processor it took; `runs` says from where. */
function started(...argv: string[]): { out: string; heldMs: number; runs: string } {
  const said = `process.on('exit', () => { const { user, system } = process.cpuUsage();
    console.error(JSON.stringify({ heldMs: (user + system) / 1000 })); });`;
  const probe = `data:text/javascript,${encodeURIComponent(said)}`;
  const bin = join(folder, 'bin/portcullis.js');
  const run = `const { spawnSync } = require('node:child_process');
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', ${JSON.stringify(probe)}, ${JSON.stringify(bin)}, ...${JSON.stringify(argv)}]);
    console.log(JSON.stringify({ out: String(stdout), err: String(stderr) }));`;
  const { out, err } = JSON.parse(execFileSync(process.execPath, ['-e', run], { encoding: 'utf8' }));
  const { heldMs } = JSON.parse(err.trim().split('\n').at(-1));
  return { out, heldMs, runs: isCompiled() };
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

test.each([
  ['--version'],
  ['action', 'list', '--help'],
  ['rollout', 'status', '--help'],
  ['apply', '--help'],
])('%s %s %s starts in a third of a second', (...argv) => {
  const fastest = Math.min(...[1, 2, 3, 4, 5].map(() => started(...argv).heldMs));
  expect(fastest).toBeLessThan(START_CPU_MS_MAX);
});

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
