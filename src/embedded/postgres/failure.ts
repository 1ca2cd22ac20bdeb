import { AppError } from '../../errors.ts';

const TAIL_CHARS = 1_500;

const DISK_FULL = /No space left on device|Disk quota exceeded|There is not enough space on the disk/i;
const PORT_TAKEN =
  /could not bind .*(Address already in use|Only one usage of each socket)|could not create any TCP\/IP sockets/i;
const HELD = /lock file "postmaster\.pid" already exists/i;
const STILL_ATTACHED = /pre-existing shared memory block .* is still in use/i;

export const isPortTaken = (output: string): boolean => PORT_TAKEN.test(output);

/** Another postmaster runs on these data. */
export const isHeld = (output: string): boolean => HELD.test(output);

/** The postmaster was killed, and not all of its processes have seen it yet. */
export const isStillAttached = (output: string): boolean => STILL_ATTACHED.test(output);

/** What Postgres wrote when it did not start, in words that say how to mend it. */
export function startFailure(output: string, data: string): AppError {
  if (DISK_FULL.test(output)) return diskFull(data);
  return new AppError(
    'setup_failed',
    `Cannot start the embedded Postgres on ${data}:\n${output.trim().slice(-TAIL_CHARS)}`,
  );
}

/** A failure of our own files as the same words; any other as it is. */
export function fileFailure(error: unknown, data: string): unknown {
  const { code } = error as { code?: unknown };
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(data, error) : error;
}

const diskFull = (data: string, cause?: unknown): AppError =>
  new AppError(
    'setup_failed',
    `Cannot start the embedded Postgres: the disk of ${data} is full. Free some space there (a new store takes 40 MB) or set PORTCULLIS_DATA to another disk, and start again; what was acknowledged is kept`,
    {},
    { cause },
  );

/** @throws AppError `setup_failed` when the data are of a Postgres that these programs are not */
export function assertSameMajor(data: string, { found, wanted }: { found: string; wanted: string }): void {
  if (found === wanted) return;
  throw new AppError(
    'setup_failed',
    `Cannot open the store in ${data}: it is of Postgres ${found}, and this version of Portcullis brings Postgres ${wanted}. Start the version that made it and dump it (pg_dump), or run a Postgres ${found} on it and set DATABASE_URL; to begin anew, move the folder away`,
  );
}
