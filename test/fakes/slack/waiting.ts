import type { World } from './world.ts';

/** Waits until `find` finds something; looks at once, and again after every change. */
export function waitFor<T>(
  world: World,
  what: string,
  find: () => T | undefined,
  timeoutMs: number,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      world.changes.off('change', look);
    };
    const look = () => {
      try {
        const found = find();
        if (found === undefined) return;
        stop();
        resolve(found);
      } catch (error) {
        stop();
        reject(error);
      }
    };
    const timer = setTimeout(() => {
      stop();
      reject(new Error(`fake Slack: no ${what} within ${timeoutMs} ms`));
    }, timeoutMs);
    world.changes.on('change', look);
    look();
  });
}
