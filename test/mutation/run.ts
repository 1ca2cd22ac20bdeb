import type { Collected } from './collect.ts';
import { mutants } from './switch.ts';

const TEST_MS_MAX = 10_000;
/** Against its own count without a mutant: whoever takes so much longer does not end. */
const STEPS_MORE = 20;
const STEPS_LEAST = 1_000_000;

/** A test that passes without a mutant, what it takes and which mutants it meets. */
export interface Known {
  test: Collected;
  ms: number;
  steps: number;
  hits: ReadonlySet<number>;
}

/** Runs each test once with no mutant on. What takes longer than `msMax` is left to the suite, and named. */
export async function learn(tests: readonly Collected[], msMax: number): Promise<Known[]> {
  const known: Known[] = [];
  for (const test of tests) {
    mutants.active = -1;
    mutants.hits = new Set();
    mutants.steps = 0;
    mutants.stepsMax = Number.POSITIVE_INFINITY;
    const startedMs = performance.now();
    if (!(await passes(test))) throw new Error(`without any mutant it fails: ${test.name}`);
    const ms = performance.now() - startedMs;
    if (ms <= msMax) known.push({ test, ms, steps: mutants.steps, hits: mutants.hits });
    else console.log(`too slow to be repeated (${Math.round(ms)} ms): ${test.name}`);
  }
  return known.sort((a, b) => a.ms - b.ms);
}

/** Whether a test notices the mutant: the quickest first. */
export async function isNoticed(id: number, known: readonly Known[]): Promise<boolean> {
  for (const { test, steps, hits } of known) {
    if (!hits.has(id)) continue;
    mutants.active = id;
    mutants.steps = 0;
    mutants.stepsMax = Math.max(STEPS_LEAST, steps * STEPS_MORE);
    if (!(await passes(test))) return true;
  }
  return false;
}

/** With the hooks around it. */
export async function passes({ run, groups }: Collected): Promise<boolean> {
  const after: (() => unknown)[] = [];
  try {
    for (const group of groups) {
      after.unshift(...group.afterAll);
      for (const work of [...group.beforeAll, ...group.beforeEach]) {
        const undo = await inTime(work);
        if (typeof undo === 'function') after.unshift(undo as () => unknown);
      }
      after.unshift(...group.afterEach);
    }
    await inTime(run);
    return true;
  } catch {
    return false;
  } finally {
    mutants.active = -1;
    for (const work of after) await Promise.resolve(work()).catch(() => {});
  }
}

async function inTime(work: () => unknown): Promise<unknown> {
  const working = work();
  if (!(working instanceof Promise)) return working;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('too long')), TEST_MS_MAX);
  });
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}
