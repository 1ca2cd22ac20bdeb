import { setTimeout as sleep } from 'node:timers/promises';

export const DAYS = 90;

/** The days of a rollout on the real clock; day 0 is its start. */
export class Calendar {
  readonly dayMs: number;
  readonly #startMs: number;

  constructor(startedAt: string, dayMs: number) {
    this.#startMs = Date.parse(startedAt);
    this.dayMs = dayMs;
  }

  /** Days since the start, with a fraction. */
  get elapsed(): number {
    return (Date.now() - this.#startMs) / this.dayMs;
  }

  /** The day as people number it: the first is 1. */
  get today(): number {
    return Math.floor(this.elapsed) + 1;
  }

  async until(elapsedDays: number): Promise<void> {
    const leftMs = this.#startMs + elapsedDays * this.dayMs - Date.now();
    if (leftMs > 0) await sleep(leftMs);
  }
}

/** When the conversation at this place arrives: evenly over the days. */
export const arrivalDay = (place: number, of: number): number => (DAYS * (place + 0.5)) / of;
