import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

const DAY_MS = 86_400_000;
/** Longer than a point may be late: what is dropped can never count twice. */
const SERIES_MS = 2 * DAY_MS;
/** Longer than an outage of the reader may last. */
const COUNTS_MS = 33 * DAY_MS;
const MOST = 10_000;

/** Drops what OpenTelemetry sent and nothing reads any more. */
export async function dropOldPoints(db: Sql, now: Date): Promise<void> {
  const before = (ms: number) => new Date(now.getTime() - ms);
  const { ref } = sql;
  for (const [table, column, keptMs] of [
    ['otlp_series', 'seen_at', SERIES_MS],
    ['otlp_exporter', 'heard_at', COUNTS_MS],
    ['otlp_count', 'minute', COUNTS_MS],
  ] as const) {
    const dropSome = sql`DELETE FROM ${sql.table(table)} WHERE ctid IN
      (SELECT ctid FROM ${sql.table(table)} WHERE ${ref(column)} < ${before(keptMs)} LIMIT ${MOST})`;
    while (((await dropSome.execute(db)).numAffectedRows ?? 0n) === BigInt(MOST));
  }
}
