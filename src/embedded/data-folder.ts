import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import type { Log } from './cache.ts';
import { storeFolder } from './postgres/address.ts';

const PRIVATE = 0o700;
const OTHERS = 0o077;
const STICKY = 0o1000;

/**
 * The folder of the embedded parts, made when it is not there, and closed to every other account: it holds keys and
 * arguments.
 * @throws AppError `setup_failed`
 */
export function openDataFolder(folder: string, log: Log): string {
  const path = resolve(folder);
  mkdirSync(dirname(path), { recursive: true });
  if (!existsSync(path)) mkdirSync(path, { mode: PRIVATE });
  close(path, log);
  refuseOlderStore(path);
  return path;
}

function close(path: string, log: Log): void {
  const { mode } = statSync(path);
  if (process.platform === 'win32' || (mode & OTHERS) === 0) return;
  const refuse = (why: string, cause?: unknown) =>
    new AppError(
      'setup_failed',
      `Cannot use ${path} as the data folder: ${why}. Set PORTCULLIS_DATA to a folder of this account alone`,
      {},
      { cause },
    );
  if ((mode & STICKY) !== 0) throw refuse('everybody keeps their files there');
  try {
    chmodSync(path, PRIVATE);
  } catch (error) {
    throw refuse('other accounts may enter it, and it belongs to one of them', error);
  }
  log(`${path} was open to other accounts; it is closed to them now (mode 0700)`);
}

function refuseOlderStore(path: string): void {
  if (!existsSync(join(path, 'db', 'PG_VERSION')) || existsSync(storeFolder(path))) return;
  throw new AppError(
    'setup_failed',
    `Cannot open the data folder ${path}: ${join(path, 'db')} is the PGlite store of an early build, which this version does not read. Move the folder away, or set PORTCULLIS_DATA to a new one; the build that made it still opens it`,
  );
}
