import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, installOnce, type Log } from './cache.ts';

/** Until then the first bytes must have come. */
const FIRST_BYTES_WITHIN_MS = 4_500;
/** A download that has begun may take its time, but not stand still. */
const STALLED_AFTER_MS = 30_000;
const POLL_MS = 100;

export type SdkServer = 'dev-server' | 'time-skipping';

export interface SdkDownload {
  server: SdkServer;
  env: NodeJS.ProcessEnv;
  log: Log;
  /** What the child process runs; tests have another one, because they must not depend on a download. */
  script?: string;
  firstBytesWithinMs?: number;
}

const SCRIPT = join(import.meta.dirname, 'sdk-download-child.js');

/** What the Temporal SDK downloaded before, if anything. */
export function downloadedBySdk({ server, env }: Pick<SdkDownload, 'server' | 'env'>): string | undefined {
  const path = join(targetFolder(server, env), 'server');
  return existsSync(path) ? path : undefined;
}

/**
 * Has the Temporal SDK download its own server into the cache. The SDK has no call that only downloads and none
 * that gives up, so a child process starts the server once and is ended when no bytes arrive.
 */
export async function downloadBySdk(options: SdkDownload): Promise<string> {
  const { server, env, log } = options;
  const target = targetFolder(server, env);
  await installOnce({
    target,
    what: 'the Temporal SDK’s own server',
    log,
    build: async (folder) => {
      const downloads = `${folder}-download`;
      await mkdir(downloads);
      try {
        await download(options, downloads);
        const [file] = await readdir(downloads);
        if (file === undefined) throw new Error('the download left no file');
        await rename(join(downloads, file), join(folder, 'server'));
      } finally {
        await rm(downloads, { recursive: true, force: true });
      }
    },
  });
  return join(target, 'server');
}

function targetFolder(server: SdkServer, env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `temporal-sdk-${server}-${process.platform}-${process.arch}`);
}

async function download(options: SdkDownload, folder: string): Promise<void> {
  const { server, env, log, script = SCRIPT, firstBytesWithinMs = FIRST_BYTES_WITHIN_MS } = options;
  const child = fork(script, [server, folder], {
    env: { ...env },
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const outcome = outcomeOf(child);
  try {
    await watchProgress({ folder, outcome, log, firstBytesWithinMs });
    await outcome.done;
  } finally {
    child.kill('SIGKILL');
  }
}

interface Outcome {
  done: Promise<void>;
  settled: boolean;
}

function outcomeOf(child: ChildProcess): Outcome {
  const outcome: Outcome = { settled: false, done: Promise.resolve() };
  outcome.done = new Promise<void>((resolve, reject) => {
    child.once('message', (message: { error?: string }) => {
      if (message.error === undefined) resolve();
      else reject(new Error(message.error));
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the download ended with code ${code}`)));
  }).finally(() => {
    outcome.settled = true;
  });
  outcome.done.catch(() => undefined); // awaited by download()
  return outcome;
}

interface Watched {
  folder: string;
  outcome: Outcome;
  log: Log;
  firstBytesWithinMs: number;
}

async function watchProgress({ folder, outcome, log, firstBytesWithinMs }: Watched): Promise<void> {
  let bytes = 0;
  let lastProgressAt = performance.now();
  while (!outcome.settled) {
    await sleep(POLL_MS);
    const now = await bytesIn(folder);
    if (now > bytes) {
      if (bytes === 0) log('  it answers; downloading about 50 MB');
      bytes = now;
      lastProgressAt = performance.now();
    }
    const patienceMs = bytes === 0 ? firstBytesWithinMs : STALLED_AFTER_MS;
    if (!outcome.settled && performance.now() - lastProgressAt > patienceMs) {
      throw new Error(`no bytes within ${patienceMs / 1_000} s`);
    }
  }
}

async function bytesIn(folder: string): Promise<number> {
  let sum = 0;
  for (const name of await readdir(folder)) {
    sum += await stat(join(folder, name)).then(
      ({ size }) => size,
      () => 0, // renamed meanwhile
    );
  }
  return sum;
}
