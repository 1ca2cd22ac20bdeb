import type { Services } from '../context.ts';
import type { Decision } from '../domain/decide.ts';
import { type AskRow, type AskWriter, actionOf } from './ask-writer.ts';
import type { ActionRow } from './store.ts';

/** How long after the last word of the store reads of `record: after` grants may still be answered. */
export const READ_LEASE_MS = 5_000;
const BUFFER_MAX = 10_000;

/**
 * The store is down: an allowed read whose grant says `record: after` is answered from memory while the lease runs,
 * and its entry follows when the store is back. Everything else stays refused (`undefined`).
 */
export function answerFromMemory(
  services: Services,
  decision: Decision,
  row: AskRow,
): { status: 'after'; action: ActionRow } | undefined {
  if (!row.recordAfter || decision.outcome !== 'allowed' || !services.after?.accept(row)) return undefined;
  return { status: 'after', action: actionOf(row) };
}

/** Reads answered before they were recorded; written as soon as the store answers again. */
export class AfterBuffer {
  readonly #rows: AskRow[] = [];
  #leaseUntilMs = 0;
  /** Entries that could not be kept: the gap the log shows. */
  lost = 0;

  /** The store answered a question sent at `sentMs` (monotonic): the lease runs from there. */
  renew(sentMs: number): void {
    this.#leaseUntilMs = sentMs + READ_LEASE_MS;
  }

  accept(row: AskRow): boolean {
    if (performance.now() > this.#leaseUntilMs || this.#rows.length >= BUFFER_MAX) return false;
    this.#rows.push(row);
    return true;
  }

  /** Writes what waits; what the store refuses as outdated is counted as lost, never retried as something else. */
  async flush(asks: AskWriter): Promise<void> {
    while (this.#rows.length > 0) {
      const row = this.#rows[0];
      if (!row) return;
      const written = await asks.write(row);
      this.#rows.shift();
      if (written.status === 'stale' || written.status === 'subject') this.lost++;
    }
  }
}
