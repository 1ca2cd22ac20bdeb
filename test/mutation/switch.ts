/** Which mutant is on, who asks for which, how often, and until when. */
export const mutants = {
  active: -1,
  hits: new Set<number>(),
  steps: 0,
  stepsMax: Number.POSITIVE_INFINITY,
  /** By `cpuMs()`. */
  untilMs: Number.POSITIVE_INFINITY,
};

/** What this process computed so far: a clock that a busy machine does not push on. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The clock is looked at once in so many steps: it takes longer than a step does. */
const STEPS_PER_LOOK = 4_096;

/** A mutant that does not come to an end is noticed. */
class Endless extends Error {}

Object.assign(globalThis, {
  __mutant(id: number): boolean {
    if (++mutants.steps > mutants.stepsMax) throw new Endless('it does not end');
    if (mutants.steps % STEPS_PER_LOOK === 0 && cpuMs() > mutants.untilMs)
      throw new Endless('too slow to be repeated');
    if (mutants.active === -1) mutants.hits.add(id);
    return id === mutants.active;
  },
});
