import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { makeLogPartition } from '../db/log-partitions.ts';

const BATCH = 2_000;
/** Nobody numbers them: how many more there are says nothing new. */
const TAIL_COUNTED_MAX = 100_000;
const NO_PARTITION = '23514';
/** How often it looks for what was committed late, behind what it has numbered. */
const FROM_THE_START_MS = 5_000;

/**
 * Numbers and chains what was committed since. One sequencer works at a time; another numbers nothing. What it took away
 * stays before it in the index for as long as anybody's snapshot sees it: it goes on where it stopped, and begins at the
 * front again every few seconds.
 */
export class Sequencer {
  readonly #db: Sql;
  #after = 0;
  #fromTheStartMs = Number.NEGATIVE_INFINITY;

  constructor(db: Sql) {
    this.#db = db;
  }

  /** Everything that is committed now, once; resolves to how many it numbered. */
  async number(): Promise<number> {
    const now = performance.now();
    if (now - this.#fromTheStartMs >= FROM_THE_START_MS) {
      this.#fromTheStartMs = now;
      this.#after = 0;
    }
    for (let total = 0; ; ) {
      const { numbered, reached } = await numberBatch(this.#db, this.#after).catch(async (error: unknown) => {
        if (!isOutOfPartitions(error) || !(await makeLogPartition(this.#db))) throw error;
        return numberBatch(this.#db, this.#after);
      });
      this.#after = reached;
      total += numbered;
      if (numbered < BATCH) return total;
    }
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
