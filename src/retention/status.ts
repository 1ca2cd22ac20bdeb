import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { logPartitions } from '../db/log-partitions.ts';
import { PARTITIONED, partitionsOf } from '../db/partitions.ts';
import { KEPT, type Kept, RETENTION, type Retention } from '../domain/retention.ts';
import { lastSeal, type Seal } from '../log/seal.ts';
import type { Services } from '../services.ts';
import { type Hold, openHolds, requireAllKept } from './holds.ts';

/** How one kind of thing stands. */
export interface KeptStatus {
  kept: Kept;
  /** What sets it, and why it is as long as it is. */
  variable: string;
  reason: string;
  keepMs: number;
  /** With indexes. */
  bytes: number;
  partitions: number;
  /** From when the oldest partition is; `undefined`: there is none that could go. */
  oldest?: Date;
  /** When it goes. */
  nextDrop?: Date;
}

export interface RetentionStatus {
  kinds: KeptStatus[];
  holds: Hold[];
  /** The log begins after this entry. */
  sealed?: Seal;
}

/** What is kept, how much it is and what goes next. Costs by the number of partitions, not of rows. */
export async function retentionStatus(
  { db: { sql: db }, retention }: Pick<Services, 'db' | 'retention'>,
  actor: Actor,
): Promise<RetentionStatus> {
  requireRole(actor, ['auditor', 'admin', 'release-manager', 'on-call']);
  requireAllKept(actor);
  const kinds = await keptStatuses(db, retention);
  return { kinds, holds: await openHolds(db), sealed: await lastSeal(db) };
}

/** The same of each kind, for whoever watches. */
export async function keptStatuses(db: Sql, retention: Retention): Promise<KeptStatus[]> {
  const kinds: KeptStatus[] = [];
  for (const kept of KEPT) {
    const found = kept === 'log' ? await ofLog(db) : await ofTables(db, kept);
    const keepMs = retention[kept];
    const { variable, reason } = RETENTION[kept];
    const { oldest, bytes, partitions } = found;
    kinds.push({
      kept,
      variable,
      reason,
      keepMs,
      bytes,
      partitions,
      oldest: oldest?.from,
      nextDrop: oldest && new Date(oldest.until.getTime() + keepMs),
    });
  }
  return kinds;
}

interface Found {
  bytes: number;
  partitions: number;
  oldest?: { from: Date; until: Date };
}

async function ofTables(db: Sql, kept: Kept): Promise<Found> {
  const found: Found = { bytes: 0, partitions: 0 };
  for (const one of PARTITIONED.filter((each) => each.kept === kept)) {
    const partitions = await partitionsOf(db, one);
    found.partitions += partitions.length;
    found.bytes += await bytesOf(db, one.table);
    const [first] = partitions;
    if (first && !(found.oldest && found.oldest.until <= first.until)) found.oldest = first;
  }
  return found;
}

/** The last stretch is being written, and never goes. */
async function ofLog(db: Sql): Promise<Found> {
  const partitions = await logPartitions(db);
  const bytes = await bytesOf(db, 'log_entry');
  const [first, second] = partitions;
  const [from, until] = [first && (await atOf(db, first.from)), second && (await atOf(db, second.from))];
  return { bytes, partitions: partitions.length, ...(from && until ? { oldest: { from, until } } : {}) };
}

const atOf = async (db: Sql, seq: number): Promise<Date | undefined> =>
  (
    await db
      .selectFrom('log_entry')
      .select('at')
      .where('seq', '>=', seq)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst()
  )?.at;

async function bytesOf(db: Sql, table: string): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    SELECT coalesce(sum(pg_total_relation_size(i.inhrelid)), 0)::bigint AS bytes
    FROM pg_inherits i WHERE i.inhparent = ${table}::regclass`.execute(db);
  return rows[0]?.bytes ?? 0;
}
