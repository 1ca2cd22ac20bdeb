import { SlackFailure, slackFailure } from './failure.ts';

/**
 * Keeps to Slack's Retry-After in this process. After a 429 every further call under the same key (a method; for posts
 * the channel too) fails at once with `rate_limited` and what is left to wait, and Slack is left in peace.
 */
export class RateGate {
  readonly #closedUntil = new Map<string, number>();

  /** Sends unless Slack asked to wait. @throws SlackFailure */
  async call<T>(key: string, send: () => Promise<T>): Promise<T> {
    const leftMs = (this.#closedUntil.get(key) ?? 0) - performance.now();
    if (leftMs > 0) throw new SlackFailure('rate_limited', Math.ceil(leftMs));
    this.#closedUntil.delete(key);
    try {
      return await send();
    } catch (error) {
      const failure = slackFailure(error);
      const { retryAfterMs } = failure;
      if (retryAfterMs !== undefined) this.#closedUntil.set(key, performance.now() + retryAfterMs);
      throw failure;
    }
  }
}
