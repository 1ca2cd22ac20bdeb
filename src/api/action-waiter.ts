import type { Sql } from '../db/database.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { SoonestTimer } from './soonest-timer.ts';

const POLL_MS = 250;
/** Wakes that follow one another closely are one look at the store. */
const GAP_MS = 20;

interface Waiter {
  id: string;
  over(row: Pick<ActionRow, 'state' | 'revision'>): boolean;
  finish(): void;
}

/** Holds long polls: one query for all of them every 250 ms, and at once after a commit of this process. */
export class ActionWaiter {
  readonly #db: Sql;
  readonly #log: Services['log'];
  readonly #waiters = new Set<Waiter>();
  readonly #timer = new SoonestTimer(() => void this.#look());
  #looking = false;

  constructor({ db, log }: Pick<Services, 'db' | 'log'>) {
    this.#db = db.sql;
    this.#log = log;
  }

  /** Resolves when `over` says so of the row, after `ms`, or when `signal` ends it. */
  wait(id: string, ms: number, signal: AbortSignal, over: Waiter['over']): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(() => waiter.finish(), ms);
      const waiter: Waiter = {
        id,
        over,
        finish: () => {
          clearTimeout(timeout);
          signal.removeEventListener('abort', waiter.finish);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      if (signal.aborted) return waiter.finish();
      signal.addEventListener('abort', waiter.finish);
      this.#waiters.add(waiter);
      this.#timer.in(POLL_MS);
    });
  }

  /** Something was committed: look soon. */
  wake(): void {
    if (this.#waiters.size > 0) this.#timer.in(GAP_MS);
  }

  /** Answers all of them with what there is. */
  close(): void {
    this.#timer.stop();
    for (const waiter of [...this.#waiters]) waiter.finish();
  }

  async #look(): Promise<void> {
    if (this.#looking) return this.#timer.in(GAP_MS);
    this.#looking = true;
    try {
      const ids = [...new Set([...this.#waiters].map(({ id }) => id))];
      const rows =
        ids.length === 0
          ? []
          : await this.#db
              .selectFrom('action')
              .select(['id', 'state', 'revision'])
              .where('id', 'in', ids)
              .execute();
      const byId = new Map(rows.map((row) => [row.id, row]));
      for (const waiter of [...this.#waiters]) {
        const row = byId.get(waiter.id);
        if (row && waiter.over(row)) waiter.finish();
      }
    } catch (error) {
      this.#log.warn({ err: error }, 'long polls could not look at the store');
    } finally {
      this.#looking = false;
      if (this.#waiters.size > 0) this.#timer.in(POLL_MS);
    }
  }
}
