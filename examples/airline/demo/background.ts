import { setTimeout as sleep } from 'node:timers/promises';

/** Something that looks again and again until it is stopped; a failure shows in `failed`. */
export interface Looking {
  /** Rejects with the first failure; never resolves before `stop`. */
  failed: Promise<void>;
  stop(): Promise<void>;
}

export function keepLooking(everyMs: number, look: () => Promise<void>): Looking {
  let stopped = false;
  const failed = (async () => {
    while (!stopped) {
      await look();
      await sleep(everyMs);
    }
  })();
  failed.catch(() => {});
  return {
    failed,
    async stop() {
      stopped = true;
      await failed;
    },
  };
}
