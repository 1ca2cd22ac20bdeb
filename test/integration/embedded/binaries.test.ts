import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findBinaries } from '../../../src/embedded/postgres/binaries.ts';
import { postgresOwner } from '../../../src/embedded/postgres/owner.ts';
import { query, useStoreFolder } from './support.ts';

const place = useStoreFolder();
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'portcullis-native-'));
  chmodSync(root, 0o755);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The package as npm leaves it when install scripts may not run: without its symbolic links. */
async function packageWithoutLinks(): Promise<string> {
  const { postgres } = await findBinaries({ owner: undefined, log: () => {} });
  const original = dirname(dirname(dirname(postgres)));
  const copy = join(root, 'package');
  cpSync(original, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  const links = JSON.parse(readFileSync(join(copy, 'native', 'pg-symlinks.json'), 'utf8')) as {
    target: string;
  }[];
  expect(links.length).toBeGreaterThan(0);
  for (const { target } of links) rmSync(join(copy, target), { force: true });
  return join(copy, 'native');
}

test('links that npm did not make are made', async () => {
  const native = await packageWithoutLinks();
  const { url } = await place.start({ native });
  expect(existsSync(join(native, 'lib', 'libpq.so.5'))).toBe(true);
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('where the user they run as may not enter, a copy is made that it may run and not change', async () => {
  const native = await packageWithoutLinks();
  chmodSync(join(root, 'package'), 0o700);
  const cache = join(root, 'cache');
  const [owner, env] = [postgresOwner(), { PATH: process.env.PATH, PORTCULLIS_CACHE: cache }];
  const found = await findBinaries({ owner, log: () => {}, native, env });
  expect(found.version).toMatch(/^\d+\.\d+/);
  expect(found.postgres.startsWith(owner ? cache : native)).toBe(true);
  if (!owner) return;
  const lib = join(dirname(found.postgres), '..', 'lib');
  expect(existsSync(join(lib, 'libpq.so.5'))).toBe(true);
  for (const path of [found.postgres, lib]) {
    const { uid, mode } = statSync(path);
    expect([uid, mode & 0o022]).toEqual([0, 0]);
  }
});

/** Programs that are shell scripts. */
function givenPrograms({ postgres, initdb }: { postgres: string; initdb?: string }): string {
  const native = join(root, 'native');
  mkdirSync(join(native, 'bin'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"version":"0.0.0"}');
  writeFileSync(join(native, 'bin', 'postgres'), postgres, { mode: 0o755 });
  if (initdb) writeFileSync(join(native, 'bin', 'initdb'), initdb, { mode: 0o755 });
  return native;
}

test('where the programs cannot be loaded it says so and names DATABASE_URL', async () => {
  const native = givenPrograms({ postgres: '#!/lib/ld-of-another-system.so\n' });
  await expect(findBinaries({ owner: undefined, log: () => {}, native })).rejects.toMatchObject({
    code: 'setup_failed',
    message: expect.stringMatching(/does not run here: it needs glibc.*musl.*DATABASE_URL/),
  });
});

test('a full disk is said as that, and leaves nothing half made', async () => {
  const full = 'echo "initdb: error: could not write to file: No space left on device" >&2; exit 1';
  const native = givenPrograms({
    postgres: '#!/bin/sh\necho "postgres (PostgreSQL) 18.4"\n',
    initdb: `#!/bin/sh\n${full}\n`,
  });
  const start = place.start({ native });
  await expect(start).rejects.toMatchObject({
    code: 'setup_failed',
    message: expect.stringMatching(/the disk of .* is full.*PORTCULLIS_DATA/),
  });
  expect(existsSync(place.data)).toBe(false);
});
