import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { makeLogPartition } from '../db/log-partitions.ts';

const BATCH = 2_000;
/** Nobody numbers them: how many more there are says nothing new. */
const TAIL_COUNTED_MAX = 100_000;
const NO_PARTITION = '23514';
/** A statement and a transaction that stands still end long before: whatever had a smaller id then is numbered or gone. */
const SETTLED_MS = 60_000;
const MARKED_EVERY_MS = 1_000;
/** How often it looks in front of that all the same: a migration may be open for longer. */
const FROM_THE_START_MS = 10_000;

interface Mark {
  atMs: number;
  reached: number;
}

/**
 * Numbers and chains what was committed since. One sequencer works at a time; another numbers nothing. Each pass takes the
 * smallest ids first, from the oldest that may still be committed: so what followed from something never stands before it.
 * What it took away stays in front in the index for as long as anybody's snapshot sees it, and is walked over no longer
 * once it is settled.
 */
export class Sequencer {
  readonly #db: Sql;
  readonly #marks: Mark[] = [];
  #reached = 0;
  #fromTheStartMs = Number.NEGATIVE_INFINITY;

  constructor(db: Sql) {
    this.#db = db;
  }

  /** Everything that is committed now, once; resolves to how many it numbered. */
  async number(): Promise<number> {
    const after = this.#settled(performance.now());
    for (let total = 0; ; ) {
      const { numbered, reached } = await numberBatch(this.#db, after).catch(async (error: unknown) => {
        if (!isOutOfPartitions(error) || !(await makeLogPartition(this.#db))) throw error;
        return numberBatch(this.#db, after);
      });
      this.#reached = Math.max(this.#reached, reached);
      total += numbered;
      if (numbered < BATCH) return total;
    }
  }

  /** Up to which id nothing can come any more; 0 now and then. */
  #settled(nowMs: number): number {
    if (nowMs - (this.#marks.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) >= MARKED_EVERY_MS)
      this.#marks.push({ atMs: nowMs, reached: this.#reached });
    while ((this.#marks[1]?.atMs ?? nowMs) <= nowMs - SETTLED_MS) this.#marks.shift();
    const [oldest] = this.#marks;
    if (nowMs - this.#fromTheStartMs >= FROM_THE_START_MS) {
      this.#fromTheStartMs = nowMs;
      return 0;
    }
    return oldest && oldest.atMs <= nowMs - SETTLED_MS ? oldest.reached : 0;
  }
}

/** Numbers what waits, from the front. */
export async function sequenceLog(db: Sql): Promise<number> {
  return new Sequencer(db).number();
}

/** It was numbered faster than anybody made room. */
const isOutOfPartitions = (error: unknown): boolean =>
  error instanceof Error && (error as { code?: unknown }).code === NO_PARTITION;

async function numberBatch(db: Sql, after: number): Promise<{ numbered: number; reached: number }> {
  const { rows } = await sql<{ numbered: number; reached: number }>`
    SELECT numbered, reached FROM sequence_log(${BATCH}, ${after})`.execute(db);
  return rows[0] ?? { numbered: 0, reached: after };
}

/** How many committed entries have no number yet, at most 100,000: what `/readyz` and `log verify` show as the tail. */
export async function unsequencedTail(db: Sql): Promise<number> {
  const { rows } = await sql<{ tail: number }>`
    SELECT count(*)::int AS tail FROM (SELECT 1 FROM log_unnumbered LIMIT ${TAIL_COUNTED_MAX}) AS u`.execute(
    db,
  );
  return rows[0]?.tail ?? 0;
}

/** When the oldest of them was committed. */
export const oldestUnnumbered = (): RawBuilder<{ since: Date | null }> =>
  sql`SELECT at AS since FROM log_unnumbered ORDER BY id LIMIT 1`;
