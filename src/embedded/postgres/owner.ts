import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { AppError } from '../../errors.ts';

/** The user that Postgres runs as. */
export interface Owner {
  name: string;
  uid: number;
  gid: number;
}

/**
 * Postgres refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user. Undefined
 * when it runs as whoever runs this process.
 * @throws AppError `setup_failed`
 */
export function postgresOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  // It reaches a data folder that is closed to it by the folder it starts in, and only Linux can name that.
  if (process.platform !== 'linux') {
    throw new AppError(
      'setup_failed',
      'Cannot start the embedded Postgres as root on this system. Start the service as an ordinary user, or set DATABASE_URL to a Postgres that runs',
    );
  }
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new AppError(
    'setup_failed',
    'Cannot start the embedded Postgres as root: there is no user "postgres" or "nobody" to run it as. Add one, start the service as an ordinary user, or set DATABASE_URL',
  );
}

/** Whether `owner` may enter this folder and every one on the way to it. */
export function mayEnter(path: string, owner: Owner | undefined): boolean {
  if (owner === undefined) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const bit = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
