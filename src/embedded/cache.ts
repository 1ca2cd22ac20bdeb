import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './supervised-process.ts';

export type Log = (line: string) => void;

const HEARTBEAT_MS = 5_000;
const STALE_AFTER_MS = 60_000;
const RETRY_MS = 500;
const REMINDER_MS = 30_000;

/** The folder of what is fetched or built once: PORTCULLIS_CACHE, XDG_CACHE_HOME/portcullis, ~/.cache/portcullis. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.PORTCULLIS_CACHE) return env.PORTCULLIS_CACHE;
  // The XDG rule: a relative path counts as not set.
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, 'portcullis');
  return join(env.HOME || homedir(), '.cache', 'portcullis');
}

export interface InstallOptions {
  /** The folder that is there completely or not at all. */
  target: string;
  /** What is being installed, for the message of a process that waits for another one. */
  what: string;
  log: Log;
  /** Fills an empty folder; a failure leaves nothing behind. */
  build(folder: string): Promise<void>;
}

/** Installs a folder into the cache once, however many processes ask for it at the same time. */
export async function installOnce({ target, what, log, build }: InstallOptions): Promise<void> {
  if (existsSync(target)) return;
  await mkdir(dirname(target), { recursive: true });
  await withLock(`${target}.lock`, { what, log }, async () => {
    if (existsSync(target)) return;
    const building = `${target}.building-${randomBytes(4).toString('hex')}`;
    await mkdir(building);
    try {
      await build(building);
      await rename(building, target).catch((error: unknown) => {
        if (!existsSync(target)) throw error; // else another process, which took over our lock, was first
      });
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  });
}

/** Runs `work` while no other process holds the lock file; a lock whose holder died is taken over. */
export async function withLock<T>(
  file: string,
  { what, log }: { what: string; log: Log },
  work: () => Promise<T>,
): Promise<T> {
  await acquire(file, what, log);
  const heartbeat = setInterval(() => {
    utimes(file, new Date(), new Date()).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(file, { force: true });
  }
}

async function acquire(file: string, what: string, log: Log): Promise<void> {
  let remindAt = 0;
  while (!(await create(file))) {
    if (await isStale(file)) {
      // Two waiters may both take over: then both build, and the first one's result stays.
      await rm(file, { force: true });
      continue;
    }
    if (performance.now() >= remindAt) {
      log(`Another process is getting ${what}; waiting for it (lock: ${file})`);
      remindAt = performance.now() + REMINDER_MS;
    }
    await sleep(RETRY_MS);
  }
}

async function create(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(JSON.stringify({ host: hostname(), pid: process.pid }));
    await handle.close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function isStale(file: string): Promise<boolean> {
  try {
    const { mtimeMs } = await stat(file);
    if (Date.now() - mtimeMs > STALE_AFTER_MS) return true;
    const holder = JSON.parse(await readFile(file, 'utf8')) as { host?: string; pid?: number };
    return holder.host === hostname() && holder.pid !== undefined && !isAlive(holder.pid);
  } catch {
    return false; // gone meanwhile, or not yet written: the next round knows
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
