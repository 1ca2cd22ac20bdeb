import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_GRACE_MS = 10_000;
const LOG_TAIL_CHARS = 2_000;

/**
 * Ends the child when this process is gone, however it went (also by SIGKILL): the shell's standard input is a
 * pipe from us, so `cat` returns when we die. It has a session of its own, so Ctrl-C does not end it first.
 */
const WATCHDOG = 'cat >/dev/null; kill -"$2" "$1" 2>/dev/null; sleep 10; kill -KILL "$1" 2>/dev/null';

export interface SupervisedProcessOptions {
  command: string;
  args: string[];
  logFile: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  uid?: number;
  gid?: number;
  /** The signal of an orderly stop; SIGKILL follows after ten seconds. */
  stopSignal?: NodeJS.Signals;
}

export interface SupervisedProcess {
  readonly pid: number;
  /** Undefined while it runs; then one sentence on how it ended, with the last lines it wrote. */
  failure(): string | undefined;
  /** Resolves when it has ended, however. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts a server process that writes to `logFile` and that never outlives this process. */
export function startProcess(options: SupervisedProcessOptions): SupervisedProcess {
  const { stopSignal = 'SIGTERM', logFile } = options;
  const logFrom = sizeOf(logFile);
  const child = spawnLogged(options);
  let ended: string | undefined;
  const hasEnded = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = `${options.command} did not start: ${error.message}`;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended = `${options.command} ended (${signal ?? `code ${code}`})`;
      resolve();
    });
  });
  const watchdog = startWatchdog(child, stopSignal);
  const killNow = () => void child.kill('SIGKILL');
  process.once('exit', killNow);
  void hasEnded.then(() => {
    process.off('exit', killNow);
    watchdog?.kill('SIGKILL');
  });

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (ended !== undefined) return;
    child.kill(signal);
    const timer = setTimeout(killNow, STOP_GRACE_MS);
    await hasEnded;
    clearTimeout(timer);
  };
  return {
    pid: child.pid ?? -1,
    failure: () => (ended === undefined ? undefined : `${ended}\n${tailOf(logFile, logFrom)}`.trim()),
    ended: hasEnded,
    stop: () => end(stopSignal),
    kill: () => end('SIGKILL'),
  };
}

function spawnLogged(options: SupervisedProcessOptions): ChildProcess {
  const logDescriptor = openSync(options.logFile, 'a');
  const spawnOptions: SpawnOptions = {
    stdio: ['ignore', logDescriptor, logDescriptor],
    // A group of its own: Ctrl-C reaches only us, and we stop the parts in order.
    detached: process.platform !== 'win32',
    env: options.env ?? process.env,
    cwd: options.cwd,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.gid }),
  };
  try {
    return spawn(options.command, options.args, spawnOptions);
  } finally {
    closeSync(logDescriptor);
  }
}

function startWatchdog(child: ChildProcess, stopSignal: NodeJS.Signals): ChildProcess | undefined {
  if (process.platform === 'win32' || child.pid === undefined) return undefined;
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'watchdog', String(child.pid), stopSignal.slice(3)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.once('error', () => undefined);
  watchdog.unref();
  // The pipe must not hold this process open.
  (watchdog.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return watchdog;
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** The last of what was written to the log since `from`: before that another process wrote. Of a panic its beginning, which says why. */
function tailOf(file: string, from: number): string {
  try {
    const written = readFileSync(file).subarray(from).toString();
    const panic = written.lastIndexOf('panic: ');
    const tail = panic < 0 ? written.slice(-LOG_TAIL_CHARS) : written.slice(panic, panic + LOG_TAIL_CHARS);
    return tail.trim();
  } catch {
    return '';
  }
}

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives and belongs to someone else
  }
}

/** Calls `probe` until it succeeds, the process has ended or the time is over. */
export async function waitUntilReady(
  server: SupervisedProcess,
  probe: () => Promise<void>,
  { what, withinMs, everyMs = 50 }: { what: string; withinMs: number; everyMs?: number },
): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const failure = server.failure();
    if (failure !== undefined) throw new Error(`Cannot start ${what}: ${failure}`);
    try {
      // A probe may hang on another program that has the port.
      return await Promise.race([probe(), server.ended.then(() => Promise.reject(new Error('it ended')))]);
    } catch (error) {
      if (performance.now() > deadline) {
        await server.kill();
        throw new Error(`Cannot start ${what}: no answer within ${withinMs / 1_000} s`, { cause: error });
      }
      await sleep(everyMs);
    }
  }
}

/** A TCP port of 127.0.0.1 that is free now. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('Cannot find a free port'));
      });
    });
  });
}
