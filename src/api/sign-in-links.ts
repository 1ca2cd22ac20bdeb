import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';

const LIVES_MS = 15 * 60_000;
const LINKS_MAX = 100;

/**
 * Links that sign a browser in, each once, for a quarter of an hour. They live in this process alone: a link that was
 * printed dies with who printed it.
 */
export class SignInLinks {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { token: string; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A path that stands for the token of this id. */
  issue(token: string): string {
    const code = randomBytes(24).toString('base64url');
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size >= LINKS_MAX && oldest) this.#tokens.delete(oldest);
    this.#tokens.set(keyOf(code), { token, untilMs: this.#clock.now().getTime() + LIVES_MS });
    return `/sign-in/${code}`;
  }

  /** The token's id, for whoever comes first; then nothing. */
  take(code: string): string | undefined {
    const key = keyOf(code);
    const found = this.#tokens.get(key);
    this.#tokens.delete(key);
    return found && found.untilMs > this.#clock.now().getTime() ? found.token : undefined;
  }
}

/** Looked up by its hash: how long that takes tells nothing of the code. */
const keyOf = (code: string): string => createHash('sha256').update(code).digest('base64');
