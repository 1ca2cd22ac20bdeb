import { spawn } from 'node:child_process';
import { chmod, chown, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installOnce, type Log } from '../cache.ts';
import type { Binaries } from './binaries.ts';
import { startFailure } from './failure.ts';
import type { Owner } from './owner.ts';
import { SERVER_ENVIRONMENT } from './settings.ts';

export const SUPERUSER = 'portcullis';

export interface InitialiseOptions {
  binaries: Binaries;
  owner: Owner | undefined;
  data: string;
  passwordFile: string;
  /** Waits until all of it is on the disk. */
  sync: boolean;
  log: Log;
}

/** How Postgres is told where its data lies: as another user it may not reach it by a path, but is started in it. */
export const dataArgument = (data: string, owner: Owner | undefined): string =>
  owner ? '/proc/self/cwd' : data;

/**
 * Makes the folder `data` with one superuser: there completely or not at all, and once, whoever else makes it.
 * @throws AppError `setup_failed`
 */
export async function initialise(options: InitialiseOptions): Promise<void> {
  const { data, owner, log } = options;
  await installOnce({
    target: data,
    what: `the database in ${data}`,
    log,
    build: async (folder) => {
      await chmod(folder, 0o700);
      if (owner) await chown(folder, owner.uid, owner.gid);
      await runInitdb(options, folder);
    },
  });
}

async function runInitdb(
  { binaries, owner, data, passwordFile, sync }: InitialiseOptions,
  folder: string,
): Promise<void> {
  if (owner) await chown(passwordFile, owner.uid, owner.gid); // it opens its standard input anew
  const password = await open(passwordFile, 'r');
  try {
    const args = [
      `--pgdata=${dataArgument(folder, owner)}`,
      `--username=${SUPERUSER}`,
      '--auth=scram-sha-256',
      `--pwfile=${owner ? '/dev/stdin' : passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
      ...(sync ? [] : ['--no-sync']),
    ];
    const initdb = spawn(binaries.initdb, args, {
      cwd: folder,
      env: SERVER_ENVIRONMENT,
      stdio: [password.fd, 'ignore', 'pipe'],
      ...(owner && { uid: owner.uid, gid: owner.gid }),
    });
    let output = '';
    initdb.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const code = await new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
      initdb.once('error', reject);
      initdb.once('close', (code, signal) => resolve(code ?? signal));
    });
    if (code !== 0) throw startFailure(`initdb ended (${code})\n${output}`, data);
  } finally {
    await password.close();
  }
}

/** The major version that a data folder is of; undefined when there is none yet. */
export async function majorOf(data: string): Promise<string | undefined> {
  try {
    return (await readFile(join(data, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
