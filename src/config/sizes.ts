import { availableParallelism } from 'node:os';

/** How much one process keeps open and in memory. */
export interface Sizes {
  /** Connections to Postgres for everyday work. */
  dbPool: number;
  /** Those for begins and credentials, which wait for nothing else. */
  gatePool: number;
  /** Agents that are kept compiled, with their manifests and releases. */
  cachedAgents: number;
}

export const SIZE_RANGES = {
  dbPool: [4, 500],
  gatePool: [2, 250],
  cachedAgents: [10, 100_000],
} as const satisfies Record<keyof Sizes, readonly [number, number]>;

const GATE_POOL_LEAST = 4;

/** What was asked for, else what as many cores can keep busy. */
export function sizesFor(
  asked: { readonly [K in keyof Sizes]?: number | undefined },
  cores: number = availableParallelism(),
): Sizes {
  const dbPool = asked.dbPool ?? Math.min(60, 10 * cores);
  return {
    dbPool,
    gatePool: asked.gatePool ?? Math.max(GATE_POOL_LEAST, Math.floor(dbPool / 2)),
    cachedAgents: asked.cachedAgents ?? Math.min(16_000, 1_000 * cores),
  };
}
