/** One timer for work that many ask for: it runs at the soonest moment anybody asked for, once for all of them. */
export class SoonestTimer {
  readonly #work: () => void;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = 0;

  constructor(work: () => void) {
    this.#work = work;
  }

  /** Works in so many milliseconds, unless it does so before anyway. */
  in(ms: number): void {
    const dueMs = performance.now() + ms;
    if (this.#timer !== undefined && this.#dueMs <= dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#work();
    }, ms);
  }

  /** What was asked for does not run. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
