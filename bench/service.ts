import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface BenchService<Told> {
  process: ChildProcess;
  /** What it said once it served. */
  told: Told;
  stop(): Promise<void>;
}

/** Starts a module beside this one that runs the service and sends a message once it serves. Rejects where it ends before. */
export async function startBenchService<Told>(
  module: string,
  environment: Record<string, string>,
  flags: readonly string[] = [],
): Promise<BenchService<Told>> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), [], {
    execArgv: ['--import', 'tsx', ...flags],
    env: { ...process.env, ...environment },
  });
  const gone = once(child, 'exit');
  const ended = gone.then(() => Promise.reject(new Error(`${module} ended before it served`)));
  const [told] = (await Promise.race([once(child, 'message'), ended])) as [Told];
  ended.catch(() => {});
  return {
    process: child,
    told,
    async stop() {
      child.disconnect();
      await gone;
    },
  };
}
