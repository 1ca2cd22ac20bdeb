const MICROSECONDS_PER_MS = 1_000;

/**
 * How long `work` holds the thread, in milliseconds. Time in which another process had the processor does not count,
 * nor does what other threads of this one did beside it, such as collecting garbage.
 */
export function heldMs(work: () => unknown): number {
  const before = { at: performance.now(), cpu: process.cpuUsage() };
  work();
  const { user, system } = process.cpuUsage(before.cpu);
  return Math.min(performance.now() - before.at, (user + system) / MICROSECONDS_PER_MS);
}

/** What held the thread longest. */
export interface Held {
  ms: number;
  /** Stops looking. */
  stop(): void;
}

/**
 * Watches the event loop until it is stopped: the longest time that one turn took. Time in which another process had
 * the processor does not count, nor does what other threads did while this one was free.
 */
export function watchThread(): Held {
  const held: Held = { ms: 0, stop: () => clearTimeout(timer) };
  let before = { at: performance.now(), cpu: process.cpuUsage() };
  let timer: NodeJS.Timeout;
  const look = () => {
    const now = { at: performance.now(), cpu: process.cpuUsage() };
    const cpu = now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system;
    held.ms = Math.max(held.ms, Math.min(now.at - before.at, cpu / MICROSECONDS_PER_MS));
    before = now;
    timer = setTimeout(look, 1);
  };
  timer = setTimeout(look, 1);
  return held;
}
