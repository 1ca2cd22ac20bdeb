const MICROSECONDS_PER_MS = 1_000;

/** What `reference` takes on two cores of 2026 that have nothing else to do. */
const REFERENCE_MS = 3.5;
const REFERENCES = 9;
const WARM_UPS = 10;
const TRIES = 3;

/** Work like that of reading and checking arguments: objects, texts, maps. */
function reference(): number {
  const list = Array.from({ length: 6_000 }, (_, at) => ({ id: at, name: `customer ${at}` }));
  const copy = JSON.parse(JSON.stringify(list)) as typeof list;
  return new Set(copy.map(({ name }) => name).sort()).size;
}

/** How long `work` had this thread's processor. */
function processorMs(work: () => unknown): number {
  const before = { at: performance.now(), cpu: process.cpuUsage() };
  work();
  const { user, system } = process.cpuUsage(before.cpu);
  return Math.min(performance.now() - before.at, (user + system) / MICROSECONDS_PER_MS);
}

const quickest = (times: number, work: () => unknown): number =>
  Math.min(...Array.from({ length: times }, () => processorMs(work)));

/**
 * How much slower than usual this machine is now, at least 1: a neighbour on the same core takes caches and half of what
 * the core does, and that is not told by time.
 */
function slowness(): number {
  if (!warm) for (let n = 0; n < WARM_UPS; n++) reference();
  warm = true;
  const took = Array.from({ length: REFERENCES }, () => processorMs(reference)).sort((a, b) => a - b);
  return Math.max(1, (took[Math.floor(REFERENCES / 2)] ?? 0) / REFERENCE_MS);
}
let warm = false;

/**
 * How long `work`, which may be repeated, holds the thread at its quickest, in milliseconds of a machine with nothing else
 * to do. Time in which another process had the processor does not count, nor does what other threads of this one did
 * beside it, such as collecting garbage.
 */
export const heldMs = (work: () => unknown): number => quickest(TRIES, work) / slowness();

/** What held the thread longest. */
export interface Held {
  ms: number;
  /** Stops looking. */
  stop(): void;
}

/**
 * Watches the event loop until it is stopped: the longest time that one turn took, in milliseconds as `heldMs` counts
 * them once it is stopped.
 */
export function watchThread(): Held {
  let before = { at: performance.now(), cpu: process.cpuUsage() };
  let timer: NodeJS.Timeout;
  const held: Held = {
    ms: 0,
    stop() {
      clearTimeout(timer);
      held.ms /= slowness();
    },
  };
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
