const MICROSECONDS_PER_MS = 1_000;

/** What `work` takes of the processor, in milliseconds: another process that is busy does not count. */
export function cpuMs(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MICROSECONDS_PER_MS;
}
