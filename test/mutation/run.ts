import type { Collected, Group } from './collect.ts';
import { cpuMs, mutants } from './switch.ts';

/** Against its own time without a mutant. */
const TIMES_LONGER = 5;
const TEST_MS_LEAST = 10_000;
const HOOK_MS_MAX = 120_000;
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
export async function learn(
  tests: readonly Collected[],
  msMax: (test: Collected) => number,
): Promise<Known[]> {
  const known: Known[] = [];
  for (const test of tests) {
    mutants.active = -1;
    mutants.hits = new Set();
    mutants.steps = 0;
    mutants.stepsMax = Number.POSITIVE_INFINITY;
    const startedMs = cpuMs();
    mutants.untilMs = startedMs + msMax(test);
    const cause = await failureOf(test, Number.POSITIVE_INFINITY);
    mutants.untilMs = Number.POSITIVE_INFINITY;
    const ms = cpuMs() - startedMs;
    if (cause) console.log(`left out (${cause.message.split('\n')[0]}): ${test.name}`);
    else if (ms <= msMax(test)) known.push({ test, ms, steps: mutants.steps, hits: mutants.hits });
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
const failureOf = (test: Collected, msMax: number): Promise<Error | undefined> =>
  failureAmong([test], () => msMax);

/**
 * The first failure among tests of one file, in their order, as vitest runs them: what goes before all of a group goes
 * once. Undefined: all pass.
 */
export async function failureAmong(
  tests: readonly Collected[],
  msMax: (test: Collected) => number,
): Promise<Error | undefined> {
  const open: Group[] = [];
  const close = async (left: number) => {
    for (const group of open.splice(left).reverse()) for (const work of group.afterAll) await settled(work);
  };
  try {
    for (const test of tests) {
      const shared = test.groups.filter((group, at) => open[at] === group).length;
      await close(shared);
      for (const group of test.groups.slice(shared)) {
        open.push(group);
        for (const work of group.beforeAll) group.afterAll.push(...undone(await inTime(work, HOOK_MS_MAX)));
      }
      await runOne(test, msMax(test));
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    mutants.active = -1;
    await close(0);
  }
}

async function runOne({ run, groups }: Collected, msMax: number): Promise<void> {
  const after = groups.flatMap(({ afterEach }) => afterEach).reverse();
  try {
    for (const work of groups.flatMap(({ beforeEach }) => beforeEach))
      after.unshift(...undone(await inTime(work, HOOK_MS_MAX)));
    await inTime(run, msMax);
  } finally {
    for (const work of after) await settled(work);
  }
}

/** A hook may answer what undoes it. */
const undone = (answer: unknown): (() => unknown)[] =>
  typeof answer === 'function' ? [answer as () => unknown] : [];

const settled = (work: () => unknown): Promise<unknown> => (async () => work())().catch(() => undefined);

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
