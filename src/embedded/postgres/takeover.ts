import { readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { Log } from '../cache.ts';
import { isAlive } from '../supervised-process.ts';
import { DATA, readNote, type ServerNote, storeFolder } from './address.ts';

const PID_FILE = 'postmaster.pid';
const ORPHAN_ENDS_WITHIN_MS = 10_000;
const POLL_MS = 50;

export interface Claim {
  data: string;
  /** Who ran it last. */
  note: ServerNote | undefined;
  /** Whether the store answers with our password. */
  answers(): Promise<boolean>;
  log: Log;
}

/**
 * Makes sure that nobody runs on these data: an orphan is ended, and a pid file whose number another program has by
 * now is removed (Postgres would take that program for itself). What is left of a crash Postgres mends by itself.
 * @throws AppError `data_folder_in_use` while the service that runs them lives
 */
export async function claim({ data, note, answers, log }: Claim): Promise<void> {
  const pid = postmasterPid(data);
  if (pid === undefined) await forget(data); // cut short when the machine went down
  if (pid === undefined || !isAlive(pid)) return;
  if (!(await isPostmasterOf(data, pid, answers))) {
    log(
      `Postgres: its pid file names process ${pid}, which is another program; it crashed, and recovers now`,
    );
    await forget(data);
    return;
  }
  if (note && note.servicePid !== process.pid && isAlive(note.servicePid)) throw inUse(data, note.servicePid);
  log(`Postgres: process ${pid} was left by a service that is gone; ending it`);
  await endOrphan(pid);
}

/** The service that runs the store of a data folder now. */
export async function runningService(dataFolder: string): Promise<number | undefined> {
  const folder = storeFolder(dataFolder);
  const [postgres, note] = [postmasterPid(join(folder, DATA)), await readNote(folder)];
  if (postgres === undefined || !isAlive(postgres)) return undefined;
  return note && isAlive(note.servicePid) ? note.servicePid : undefined;
}

const forget = (data: string): Promise<void> => rm(join(data, PID_FILE), { force: true });

/** The number in Postgres' pid file, if there is one. */
export function postmasterPid(data: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(data, PID_FILE), 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

export const inUse = (data: string, pid: number | undefined): AppError =>
  new AppError(
    'data_folder_in_use',
    `Cannot open the store in ${data}: ${pid === undefined ? 'another process' : `process ${pid}`} is using it`,
  );

/** A postmaster stands in its data; where that cannot be seen, one that takes our password is ours. */
async function isPostmasterOf(data: string, pid: number, answers: () => Promise<boolean>): Promise<boolean> {
  if (process.platform !== 'linux') return answers();
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(data);
  } catch {
    return false; // it belongs to somebody else, who cannot have started in a folder that is ours alone
  }
}

async function endOrphan(pid: number): Promise<void> {
  process.kill(pid, 'SIGINT');
  const until = performance.now() + ORPHAN_ENDS_WITHIN_MS;
  while (isAlive(pid)) {
    if (performance.now() > until) process.kill(pid, 'SIGKILL');
    await sleep(POLL_MS);
  }
}
