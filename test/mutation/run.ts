import type { Collected } from './collect.ts';
import { mutants } from './switch.ts';

/** Against its own time without a mutant. */
const TIMES_LONGER = 5;
const TEST_MS_LEAST = 10_000;
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

/**
 * Runs each test once with no mutant on. What takes longer than `msMax`, or does not hold with the switches in it (time
 * limits), is left to the suite, and named.
 */
export async function learn(tests: readonly Collected[], msMax: number): Promise<Known[]> {
  const known: Known[] = [];
  for (const test of tests) {
    mutants.active = -1;
    mutants.hits = new Set();
    mutants.steps = 0;
    mutants.stepsMax = Number.POSITIVE_INFINITY;
    const startedMs = performance.now();
    const cause = await failureOf(test, Number.POSITIVE_INFINITY);
    const ms = performance.now() - startedMs;
    if (cause) console.log(`left out (${cause.message.split('\n')[0]}): ${test.name}`);
    else if (ms <= msMax) known.push({ test, ms, steps: mutants.steps, hits: mutants.hits });
    else console.log(`too slow to be repeated (${Math.round(ms)} ms): ${test.name}`);
  }
  if (known.length < tests.length / 2) throw new Error('most tests fail without any mutant');
  return known.sort((a, b) => a.ms - b.ms);
}

/** Whether a test notices the mutant: the quickest first. */
export async function isNoticed(id: number, known: readonly Known[]): Promise<boolean> {
  for (const { test, ms, steps, hits } of known) {
    if (!hits.has(id)) continue;
    mutants.active = id;
    mutants.steps = 0;
    mutants.stepsMax = Math.max(STEPS_LEAST, steps * STEPS_MORE);
    if (await failureOf(test, Math.max(TEST_MS_LEAST, ms * TIMES_LONGER))) return true;
  }
  return false;
}

/** Runs it with the hooks around it. Undefined: it passes. */
async function failureOf({ run, groups }: Collected, msMax: number): Promise<Error | undefined> {
  const after: (() => unknown)[] = [];
  try {
    for (const group of groups) {
      after.unshift(...group.afterAll);
      for (const work of [...group.beforeAll, ...group.beforeEach]) {
        const undo = await inTime(work, msMax);
        if (typeof undo === 'function') after.unshift(undo as () => unknown);
      }
      after.unshift(...group.afterEach);
    }
    await inTime(run, msMax);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    mutants.active = -1;
    for (const work of after) await Promise.resolve(work()).catch(() => {});
  }
}

async function inTime(work: () => unknown, msMax: number): Promise<unknown> {
  const working = work();
  if (!(working instanceof Promise) || msMax === Number.POSITIVE_INFINITY) return working;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('too long')), msMax);
  });
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}
