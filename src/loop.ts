import type { Logger } from 'pino';

/** Work that repeats: at `everyMs`, and at once when woken. */
export interface Loop {
  wake(): void;
  stop(): Promise<void>;
}

const BACKOFF_MAX_MS = 5_000;

/**
 * Runs `work` again and again, never twice at a time. A failure is logged once per streak and retried with growing
 * waits; nothing ends the loop but `stop`.
 */
export function startLoop(name: string, everyMs: number, work: () => Promise<unknown>, log: Logger): Loop {
  let stopped = false;
  let failures = 0;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let rest: (() => void) | undefined;
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      rest = resolve;
      timer = setTimeout(resolve, ms);
    });
  const run = async () => {
    while (!stopped) {
      woken = false;
      try {
        await work();
        if (failures > 0) log.info({ loop: name }, 'works again');
        failures = 0;
      } catch (error) {
        if (failures++ === 0) log.warn({ loop: name, err: error }, 'failed, will be repeated');
      }
      const waitMs = failures > 0 ? Math.min(BACKOFF_MAX_MS, everyMs * 2 ** Math.min(failures, 10)) : everyMs;
      if (!stopped && !(woken && failures === 0)) await pause(waitMs);
      clearTimeout(timer);
    }
  };
  const running = run();
  return {
    wake() {
      woken = true;
      if (failures === 0) rest?.();
    },
    async stop() {
      stopped = true;
      rest?.();
      await running;
    },
  };
}
