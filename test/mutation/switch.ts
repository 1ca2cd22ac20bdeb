/** Which mutant is on, who asks for which, and how often. */
export const mutants = {
  active: -1,
  hits: new Set<number>(),
  steps: 0,
  stepsMax: Number.POSITIVE_INFINITY,
};

/** A mutant that does not come to an end is noticed. */
class Endless extends Error {}

Object.assign(globalThis, {
  __mutant(id: number): boolean {
    if (++mutants.steps > mutants.stepsMax) throw new Endless('it does not end');
    if (mutants.active === -1) mutants.hits.add(id);
    return id === mutants.active;
  },
});
