export async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  log(`${what}: ready in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result;
}

export function log(line: string): void {
  process.stderr.write(`[setup] ${line}\n`);
}
