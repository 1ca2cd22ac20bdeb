import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cacheFolder, installOnce } from '../../src/embedded/cache.ts';
import { downloadBySdk, downloadedBySdk } from '../../src/embedded/sdk-download.ts';
import { startProcess } from '../../src/embedded/supervised-process.ts';
import { findTemporalBinary } from '../../src/embedded/temporal-binary.ts';

let folder: string;
const lines: string[] = [];
const log = (line: string) => void lines.push(line);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-embedded-'));
  lines.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('cacheFolder() follows PORTCULLIS_CACHE, XDG_CACHE_HOME, then the home folder', () => {
  expect(cacheFolder({ PORTCULLIS_CACHE: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/a');
  expect(cacheFolder({ XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/portcullis');
  expect(cacheFolder({ XDG_CACHE_HOME: 'relative', HOME: '/c' })).toBe('/c/.cache/portcullis');
});

// --- installOnce() -------------------------------------------------------------------------------------------

test('installOnce() builds once for callers at the same time', async () => {
  const target = join(folder, 'thing');
  let builds = 0;
  const install = () =>
    installOnce({
      target,
      what: 'a thing',
      log,
      build: async (building) => {
        builds += 1;
        expect(existsSync(target)).toBe(false);
        await writeFile(join(building, 'file'), 'whole');
      },
    });
  await Promise.all([install(), install(), install()]);
  expect(builds).toBe(1);
  expect(await readFile(join(target, 'file'), 'utf8')).toBe('whole');
  expect(await readdir(folder)).toEqual(['thing']);
});

test('installOnce() leaves nothing behind when the build fails, and can be tried again', async () => {
  const target = join(folder, 'thing');
  const build = async (building: string) => {
    await writeFile(join(building, 'file'), 'half');
    throw new Error('broken');
  };
  await expect(installOnce({ target, what: 'a thing', log, build })).rejects.toThrow('broken');
  expect(await readdir(folder)).toEqual([]);
  await installOnce({ target, what: 'a thing', log, build: async () => undefined });
  expect(existsSync(target)).toBe(true);
});

test.each([
  ['whose process is gone', JSON.stringify({ host: hostname(), pid: 2 ** 22 + 1 }), 0],
  ['that nobody has touched for minutes', JSON.stringify({ host: 'another', pid: 1 }), 300],
])('installOnce() takes over a lock %s', async (_which, content, ageSeconds) => {
  const lock = join(folder, 'thing.lock');
  await writeFile(lock, content);
  const touchedAt = Date.now() / 1_000 - ageSeconds;
  await utimes(lock, touchedAt, touchedAt);
  await installOnce({ target: join(folder, 'thing'), what: 'a thing', log, build: async () => undefined });
  expect(await readdir(folder)).toEqual(['thing']);
});

// --- downloadBySdk() -----------------------------------------------------------------------------------------

async function childScript(body: string): Promise<string> {
  const script = join(folder, 'child.mjs');
  await writeFile(
    script,
    `import { writeFileSync } from 'node:fs';\nconst folder = process.argv[3];\n${body}\n`,
  );
  return script;
}

test('downloadBySdk() puts what the SDK downloaded into the cache', async () => {
  const env = { ...process.env, PORTCULLIS_CACHE: join(folder, 'cache') };
  const script = await childScript("writeFileSync(folder + '/any-name', 'server'); process.send({});");
  const path = await downloadBySdk({ server: 'dev-server', env, log, script });
  expect(await readFile(path, 'utf8')).toBe('server');
  expect(downloadedBySdk({ server: 'dev-server', env })).toBe(path);
  expect(downloadedBySdk({ server: 'time-skipping', env })).toBeUndefined();
});

test('downloadBySdk() gives up when no bytes come, and leaves nothing behind', async () => {
  const cache = join(folder, 'cache');
  const env = { ...process.env, PORTCULLIS_CACHE: cache };
  const script = await childScript('setInterval(() => undefined, 1_000);');
  const options = { server: 'dev-server', env, log, script, firstBytesWithinMs: 300 } as const;
  await expect(downloadBySdk(options)).rejects.toThrow('no bytes within 0.3 s');
  expect(await readdir(cache)).toEqual([]);
});

// --- findTemporalBinary() ------------------------------------------------------------------------------------

async function fakeTemporal(version: string): Promise<void> {
  await writeFile(join(folder, 'temporal'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
}

test('findTemporalBinary() takes `temporal` from PATH before anything else', async () => {
  await fakeTemporal('temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)');
  const found = await findTemporalBinary({ env: { PATH: folder, PORTCULLIS_CACHE: folder }, log });
  expect(found).toEqual({ path: join(folder, 'temporal'), how: 'on PATH' });
  expect(lines.join('\n')).toContain('Server 1.29.1');
});

test('findTemporalBinary() takes the cache when another program is called temporal', async () => {
  await fakeTemporal('a calendar');
  const built = join(folder, 'cache', `temporal-v1.5.1-${process.platform}-${process.arch}`);
  await installOnce({
    target: join(built, 'bin'),
    what: 'a build',
    log,
    build: (bin) =>
      writeFile(join(bin, 'temporal'), '#!/bin/sh\necho "temporal version 9 (Server 9)"\n', { mode: 0o755 }),
  });
  const env = { PATH: folder, PORTCULLIS_CACHE: join(folder, 'cache') };
  const found = await findTemporalBinary({ env, log });
  expect(found).toEqual({ path: join(built, 'bin', 'temporal'), how: 'from the cache' });
  expect(lines[0]).toContain('passed over');
});

// --- startProcess() ------------------------------------------------------------------------------------------

test('startProcess() says how a process ended, with the last lines of its log', async () => {
  const logFile = join(folder, 'log');
  const server = startProcess({ command: '/bin/sh', args: ['-c', 'echo no disk; exit 3'], logFile });
  await expect.poll(() => server.failure()).toBe('/bin/sh ended (code 3)\nno disk');
  await server.stop(); // nothing to do, and no error
});

test('startProcess() stops a process in order', async () => {
  const logFile = join(folder, 'log');
  const script = 'trap "echo tidied; exit 0" TERM; echo up; while :; do sleep 0.05; done';
  const server = startProcess({ command: '/bin/sh', args: ['-c', script], logFile });
  await expect.poll(() => readFile(logFile, 'utf8')).toContain('up');
  await server.stop();
  expect(await readFile(logFile, 'utf8')).toContain('tidied');
});
