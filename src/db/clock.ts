import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Sql } from './database.ts';

const CHECK_EVERY_MS = 30_000;

/**
 * The database's time, which every process of an installation shares: its offset from this machine's monotonic clock
 * is measured at the start and every 30 s, so reading it costs no round trip and never jumps with this machine's clock.
 */
export class DatabaseClock implements Clock {
  readonly #db: Sql;
  #offsetMs: number;
  #timer: NodeJS.Timeout | undefined;

  private constructor(db: Sql) {
    this.#db = db;
    this.#offsetMs = Date.now() - performance.now();
  }

  static async start(db: Sql): Promise<DatabaseClock> {
    const clock = new DatabaseClock(db);
    await clock.#measure();
    clock.#timer = setInterval(() => void clock.#measure().catch(() => {}), CHECK_EVERY_MS);
    clock.#timer.unref();
    return clock;
  }

  now(): Date {
    return new Date(performance.now() + this.#offsetMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #measure(): Promise<void> {
    const sent = performance.now();
    const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(this.#db);
    const middle = (sent + performance.now()) / 2;
    if (rows[0]) this.#offsetMs = rows[0].now.getTime() - middle;
  }
}
