import type { DocsWorld } from './docs-world.ts';

/** What a command of the docs takes for granted, and how it may end. */
export interface Given {
  /** Stands where the docs say 6f1d6f0e, 0193a7c4-5e2f, ID or ACTION. */
  id?: string;
  /** What stands where the docs say another id. */
  words?: Record<string, string>;
  codes?: readonly number[];
  env?: Record<string, string>;
  cwd?: string;
  /** What a refusal must say. */
  says?: string;
}

/** Puts things as a command expects them. */
export type Rule = (world: DocsWorld, agent: string) => Promise<unknown> | Given;
