import type { TestProject } from 'vitest/node';

interface Started {
  stop(): Promise<void>;
}

/** One server for all projects of a run: each project loads the setup file anew, so they are counted here. */
interface Shared {
  server: Promise<Started> | undefined;
  users: number;
}

/** A global setup whose server is started by the first project that asks and stopped after the last. */
export function oncePerRun<T extends Started>(
  name: string,
  start: () => Promise<T>,
  provide: (project: TestProject, server: T) => void,
): (project: TestProject) => Promise<() => Promise<void>> {
  const key = Symbol.for(`portcullis.test-server.${name}`);
  const holder = globalThis as unknown as Record<symbol, Shared | undefined>;
  holder[key] ??= { server: undefined, users: 0 };
  const shared = holder[key];
  return async (project) => {
    shared.users += 1;
    shared.server ??= start();
    const server = (await shared.server) as T;
    provide(project, server);
    return async () => {
      shared.users -= 1;
      if (shared.users > 0) return;
      shared.server = undefined;
      await server.stop();
    };
  };
}

export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  log(`${what}: ready in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result;
}

export function log(line: string): void {
  process.stderr.write(`[setup] ${line}\n`);
}
