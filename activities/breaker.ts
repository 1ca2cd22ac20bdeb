import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { Clock } from '../src/clock.ts';

/** A failure that took so long held a slot that others could have used. */
const SLOW_MS = 1_000;
const SLOW_IN_A_ROW = 3;
const OPEN_FIRST_MS = 5_000;
const OPEN_MAX_MS = 60_000;
/** How long one try takes that looks whether the address answers again. */
const PROBE_MS = 5_000;
/** Until one was sent, so long each is thought to take. */
const TAKES_MS = 500;
const HELD_LEAST_MS = 1_000;
const HELD_MOST_MS = 60_000;

/** One receiver. */
interface Line {
  underWay: number;
  takesMs: number;
  /** When those that were told to come back will all have had their turn. */
  takenUntilMs: number;
  slowInARow: number;
  opened: number;
  openUntilMs: number;
}

const newLine = (): Line => ({
  underWay: 0,
  takesMs: TAKES_MS,
  takenUntilMs: 0,
  slowInARow: 0,
  opened: 0,
  openUntilMs: 0,
});

/**
 * Keeps one receiver that hangs from taking every slot: of each no more than `atOnce` requests are under way, and after
 * some that failed slowly none is sent for a while, then one by itself, until it answers. Whatever is held gives its
 * slot back at once and is tried again by Temporal, one after the other as far as can be foreseen.
 */
export class Breaker {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #atOnce: number;
  readonly #lines = new Map<string, Line>();

  constructor(clock: Pick<Clock, 'now'>, atOnce: number) {
    this.#clock = clock;
    this.#atOnce = Math.max(1, atOnce);
  }

  /** @throws ApplicationFailure `webhook.held`, with when to try again */
  async run<T>(receiver: string, send: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(receiver) ?? newLine();
    this.#lines.set(receiver, line);
    this.#assertFree(line);
    line.underWay += 1;
    const startedAtMs = performance.now();
    try {
      const sent = await send();
      Object.assign(line, { slowInARow: 0, opened: 0, openUntilMs: 0 });
      return sent;
    } catch (error) {
      this.#count(line, performance.now() - startedAtMs >= SLOW_MS);
      throw error;
    } finally {
      line.underWay -= 1;
      line.takesMs = (line.takesMs + performance.now() - startedAtMs) / 2;
      if (line.underWay === 0 && line.slowInARow === 0) this.#lines.delete(receiver);
    }
  }

  #assertFree(line: Line): void {
    const { underWay, slowInARow, openUntilMs } = line;
    const leftMs = openUntilMs - this.#clock.now().getTime();
    if (leftMs > 0) throw this.#held(line, 'it does not answer', leftMs);
    if (slowInARow >= SLOW_IN_A_ROW && underWay > 0)
      throw this.#held(line, 'one request looks whether it answers', PROBE_MS);
    if (underWay >= this.#atOnce) throw this.#held(line, `${underWay} requests are under way`, HELD_LEAST_MS);
  }

  #count(line: Line, slow: boolean): void {
    line.slowInARow = slow ? line.slowInARow + 1 : 0;
    const nowMs = this.#clock.now().getTime();
    // Those that were under way together open it once.
    if (line.slowInARow < SLOW_IN_A_ROW || line.openUntilMs > nowMs) return;
    line.openUntilMs = nowMs + Math.min(OPEN_MAX_MS, OPEN_FIRST_MS * 2 ** line.opened);
    line.opened += 1;
  }

  #held(line: Line, why: string, leastMs: number): ApplicationFailure {
    const nowMs = this.#clock.now().getTime();
    const turnMs = Math.max(line.takenUntilMs, nowMs) + line.takesMs / this.#atOnce;
    line.takenUntilMs = Math.min(turnMs, nowMs + HELD_MOST_MS);
    const ms = Math.max(leastMs, line.takenUntilMs - nowMs);
    return ApplicationFailure.create({
      message: `Held for its receiver: ${why}`,
      type: 'webhook.held',
      nextRetryDelay: Math.ceil(ms + (Math.random() * ms) / 2),
      category: ApplicationFailureCategory.BENIGN,
    });
  }
}
