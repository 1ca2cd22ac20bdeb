import { setImmediate } from 'node:timers/promises';

const TURN_MS = 5;

/** Lets others have their turn: a request that works long gives the thread back now and then. */
export class Turns {
  #since = performance.now();

  /** At once while this one's turn lasts, else when everybody who waited had theirs. */
  async next(): Promise<void> {
    if (performance.now() - this.#since < TURN_MS) return;
    await setImmediate();
    this.#since = performance.now();
  }
}
