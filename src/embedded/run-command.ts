import { execFile } from 'node:child_process';

const OUTPUT_BYTES_MAX = 16 * 1_024 * 1_024;
const ERROR_LINES_MAX = 8;

export interface RunCommandOptions {
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  cwd?: string;
  /** Runs it as another user. */
  uid?: number;
  gid?: number;
}

/** Runs a program to its end and gives its standard output; after `timeoutMs` it is killed. */
export function runCommand(
  command: string,
  args: string[],
  { env, timeoutMs, cwd, uid, gid }: RunCommandOptions,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      env,
      cwd,
      uid,
      gid,
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_BYTES_MAX,
    } as const;
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (error.killed === true) reject(new Error(`no answer within ${timeoutMs / 1_000} s`));
      else reject(new Error(stderr.trim().split('\n').slice(-ERROR_LINES_MAX).join('\n') || error.message));
    });
  });
}

export async function attempt<T>(work: () => Promise<T>): Promise<{ value?: T; problem?: unknown }> {
  try {
    return { value: await work() };
  } catch (problem) {
    return { problem };
  }
}

/** The last and most exact part of a chained message, without addresses. */
export function brief(problem: unknown): string {
  const message = problem instanceof Error ? problem.message : String(problem);
  const parts = message.replaceAll(/\(?https?:\/\/[^\s)]+\)?:?\s?/g, '').split(': ');
  return parts.slice(-2).join(': ').trim().slice(0, 200);
}

/** "2.4 s": the time since `startedAt`, which is a value of performance.now(). */
export function secondsSince(startedAt: number): string {
  return `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
}
