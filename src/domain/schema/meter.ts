/** What checking one request may take. Counted in steps, not in time: the same request always gets the same answer. */
export const STEPS_MAX = 200_000;

/** How many characters take as long as one step. */
export const TEXT_PER_STEP = 16;

/** Checking would take more than the whole service can spare for one request. */
export class TooMuch extends Error {}

/** Counts what the checks of one request take together. */
export class Meter {
  #left: number;

  constructor(steps: number = STEPS_MAX) {
    this.#left = steps;
  }

  /** @throws TooMuch when nothing is left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new TooMuch('Too much to check');
  }
}
