/** Durations in milliseconds. */
export interface Spread {
  p50: number;
  p99: number;
  n: number;
}

export function spreadOf(durationsMs: readonly number[]): Spread {
  const sorted = [...durationsMs].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), n: sorted.length };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** Two things in turn, one after the other, so that both meet the same machine. */
export async function alternately(n: number, a: () => Promise<unknown>, b: () => Promise<unknown>) {
  const [first, second]: [number[], number[]] = [[], []];
  for (let round = 0; round < n; round++) {
    first.push(await timed(a));
    second.push(await timed(b));
  }
  return [spreadOf(first), spreadOf(second)] as const;
}

/** `n` at once; each one's own duration, and how long all took. */
export async function atOnce(n: number, work: () => Promise<unknown>): Promise<Spread & { totalMs: number }> {
  const startedAt = performance.now();
  const durations = await Promise.all(Array.from({ length: n }, () => timed(work)));
  return { ...spreadOf(durations), totalMs: performance.now() - startedAt };
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`;
export const ratio = (a: number, b: number): string => `${(a / b).toFixed(2)} x`;
