import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { isStoreDown, isStoreSlow } from '../db/failure.ts';
import type { ActionRow } from './action.ts';
import { type AskDraft, actionOf, rowOf } from './ask-row.ts';
import type { AskWriter } from './ask-writer.ts';
import { readEpoch } from './gate.ts';
import { appendEntry } from './log-entry.ts';

/** How long after the last word of the store reads of `record: after` grants may still be answered. */
export const READ_LEASE_MS = 5_000;
const BUFFER_MAX = 10_000;
const BATCH = 64;
const ROUNDS_MAX = 8;

interface FlushServices {
  db: Database;
  asks: AskWriter;
  clock: Clock;
  log: Logger;
}

/** Reads answered before they were recorded; written as soon as the store answers again. */
export class AfterBuffer {
  readonly #rows = new Map<string, { draft: AskDraft; subject: string }>();
  #lease = { untilMs: 0, epoch: 0 };
  #untold = 0;
  /** Entries that could not be kept, ever; each is counted in a `log.gap` entry too. */
  lost = 0;

  /** The store answered a question sent at `sentMs` (monotonic) with this epoch: the lease runs from there. */
  renew(sentMs: number, epoch: number): void {
    this.#lease = { untilMs: sentMs + READ_LEASE_MS, epoch };
  }

  /** How many are answered and not recorded yet. */
  get waiting(): number {
    return this.#rows.size;
  }

  /**
   * The store is down: an allowed read whose grant says `record: after` is answered from memory while the lease runs
   * and what it was decided under is what the lease saw. Everything else stays refused (`undefined`).
   */
  answer(draft: AskDraft, subject: string): ActionRow | undefined {
    const { untilMs, epoch } = this.#lease;
    if (!draft.recordAfter || draft.epoch !== epoch || performance.now() > untilMs) return undefined;
    const key = `${draft.agent}\n${draft.idempotency_key}`;
    const known = this.#rows.get(key)?.draft;
    if (known) return known.request_digest === draft.request_digest ? actionOf(known) : undefined;
    if (this.#rows.size >= BUFFER_MAX) return undefined;
    this.#rows.set(key, { draft, subject });
    return actionOf(draft);
  }

  /** Writes what waits. What cannot be kept is counted, and the count is an entry of the log. Rejects: the store is down. */
  async flush(services: FlushServices): Promise<void> {
    while (this.#rows.size > 0) {
      const batch = [...this.#rows].slice(0, BATCH);
      await Promise.all(
        batch.map(async ([key, { draft, subject }]) => {
          const kept = await record(services, draft, subject);
          this.#rows.delete(key);
          if (kept) return;
          this.lost++;
          this.#untold++;
        }),
      );
    }
    if (this.#untold === 0) return;
    const lost = this.#untold;
    await appendEntry(services.db.sql, {
      kind: 'log.gap',
      at: services.clock.now(),
      actor: 'record-after',
      data: { lost },
    });
    this.#untold -= lost;
  }
}

/** As it happened: the entry says under which epoch it was decided, whatever is in force by now. */
async function record(services: FlushServices, draft: AskDraft, subject: string): Promise<boolean> {
  const { db, asks, log } = services;
  try {
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const epoch = await readEpoch(db.sql);
      const row = rowOf(draft, await asks.subject(draft.agent, subject), { recorded: 'after' });
      const { status, id } = await asks.write({ ...row, epoch, token: null, token_epoch: null });
      if (status === 'asked' || status === 'known') return id === draft.id;
      if (status === 'conflict') return false;
      if (status === 'subject') asks.forgetSubject(draft.agent, subject);
    }
  } catch (error) {
    if (isStoreDown(error) || isStoreSlow(error)) throw error;
    log.error({ err: error, action: draft.id }, 'a read that was answered cannot be recorded');
  }
  return false;
}
