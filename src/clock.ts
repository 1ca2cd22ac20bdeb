/** Where every deadline's "now" comes from: database time in production, the test environment's in tests. */
export interface Clock {
  now(): Date;
}

/** A clock that stands until it is moved; tests and replays use it. */
export class ManualClock implements Clock {
  #nowMs: number;

  constructor(start: Date = new Date('2026-01-01T00:00:00Z')) {
    this.#nowMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  /** Moves the clock forward by `ms`; it never goes back. */
  advance(ms: number): void {
    this.#nowMs += Math.max(0, ms);
  }

  /** Moves the clock to `at`, if that is later than now. */
  moveTo(at: Date): void {
    this.#nowMs = Math.max(this.#nowMs, at.getTime());
  }
}

/** This machine's clock: right where the store lives in the same process. */
export const systemClock: Clock = { now: () => new Date() };
