import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { liveTokens } from '../tokens/live.ts';
import { SoonestTimer } from './soonest-timer.ts';

const POLL_MS = 250;
/** Wakes that follow one another closely are one look at the store. */
const GAP_MS = 20;
/** How often it is asked whether the tokens still stand. */
const TOKENS_MS = 1_000;

interface Waiter {
  id: string;
  tokenId: string;
  over(row: Pick<ActionRow, 'state' | 'revision'>): boolean;
  finish(): void;
}

/**
 * Holds long polls: one query for all of them every 250 ms, and at once after a commit of this process. One whose token
 * does not stand any more ends within a second.
 */
export class ActionWaiter {
  readonly #services: Pick<Services, 'db' | 'clock' | 'log'>;
  readonly #waiters = new Set<Waiter>();
  readonly #timer = new SoonestTimer(() => void this.#look());
  #looking = false;
  #closed = false;
  #tokensAskedMs = 0;

  constructor(services: Pick<Services, 'db' | 'clock' | 'log'>) {
    this.#services = services;
  }

  /** Resolves when `over` says so of the row, after `ms`, when `signal` ends it, or when its token has ended. */
  wait({ id, tokenId, over }: Omit<Waiter, 'finish'>, ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(() => waiter.finish(), ms);
      const waiter: Waiter = {
        id,
        tokenId,
        over,
        finish: () => {
          clearTimeout(timeout);
          signal.removeEventListener('abort', waiter.finish);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      if (signal.aborted || this.#closed) return waiter.finish();
      signal.addEventListener('abort', waiter.finish);
      this.#waiters.add(waiter);
      this.#timer.in(POLL_MS);
    });
  }

  /** Something was committed: look soon. */
  wake(): void {
    if (this.#waiters.size > 0) this.#timer.in(GAP_MS);
  }

  /** Answers all of them with what there is, and at once whoever comes later. */
  close(): void {
    this.#closed = true;
    this.#timer.stop();
    for (const waiter of [...this.#waiters]) waiter.finish();
  }

  async #letGo(): Promise<void> {
    const now = performance.now();
    if (now - this.#tokensAskedMs < TOKENS_MS) return;
    this.#tokensAskedMs = now;
    const asked = [...this.#waiters];
    const standing = await liveTokens(this.#services, [...new Set(asked.map(({ tokenId }) => tokenId))]);
    for (const waiter of asked) if (!standing.has(waiter.tokenId)) waiter.finish();
  }

  async #look(): Promise<void> {
    if (this.#looking) return this.#timer.in(GAP_MS);
    this.#looking = true;
    try {
      await this.#letGo();
      const ids = [...new Set([...this.#waiters].map(({ id }) => id))];
      const rows =
        ids.length === 0
          ? []
          : await this.#services.db.sql
              .selectFrom('any_action')
              .select(['id', 'state', 'revision'])
              .where('id', 'in', ids)
              .execute();
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const waiter of [...this.#waiters]) {
        const row = byId.get(waiter.id);
        if (row && waiter.over(row)) waiter.finish();
      }
    } catch (error) {
      this.#services.log.warn({ err: error }, 'long polls could not look at the store');
    } finally {
      this.#looking = false;
      if (this.#waiters.size > 0) this.#timer.in(POLL_MS);
    }
  }
}
