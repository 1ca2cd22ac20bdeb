import type { Clock } from '../../clock.ts';
import { SlackFailure, slackFailure } from './failure.ts';

/**
 * Keeps to Slack's Retry-After in this process. After a 429 every further call under the same key (a method; for posts
 * the channel too) fails at once with `rate_limited` and what is left to wait, and Slack is left in peace.
 */
export class RateGate {
  readonly #clock: Clock;
  readonly #closedUntilMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Sends unless Slack asked to wait. @throws SlackFailure */
  async call<T>(key: string, send: () => Promise<T>): Promise<T> {
    const leftMs = (this.#closedUntilMs.get(key) ?? 0) - this.#clock.now().getTime();
    if (leftMs > 0) throw new SlackFailure('rate_limited', leftMs);
    this.#closedUntilMs.delete(key);
    try {
      return await send();
    } catch (error) {
      const failure = slackFailure(error);
      const { retryAfterMs } = failure;
      if (retryAfterMs !== undefined)
        this.#closedUntilMs.set(key, this.#clock.now().getTime() + retryAfterMs);
      throw failure;
    }
  }
}
