import type { Sql } from '../db/database.ts';
import { type LogPartition, logPartitions } from '../db/log-partitions.ts';
import { signHead } from '../log/checkpoint.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { removePartition } from './remove-partition.ts';

/** A partition that is over, and why it cannot go yet. */
export interface Stays {
  name: string;
  because: 'hold' | 'too-much-kept';
}

/**
 * Drops the stretches of the log that are full and whose newest entry is older than `keptFrom`. Before each, the
 * head it ends with is kept, signed, and told in the log itself: verification goes on from there.
 */
export async function sealAndDropLog(
  services: Pick<Services, 'db' | 'clock' | 'keys' | 'issuer'>,
  keptFrom: Date,
  held: boolean,
): Promise<{ dropped: string[]; stays: Stays[] }> {
  const { db, clock } = services;
  const dropped: string[] = [];
  const stays: Stays[] = [];
  for (const partition of await logPartitions(db.sql)) {
    const last = await lastOf(db.sql, partition);
    // One that is not full is being written.
    if (last?.seq !== partition.until - 1 || last.at >= keptFrom) break;
    if (held) {
      stays.push({ name: partition.name, because: 'hold' });
      continue;
    }
    const now = clock.now();
    const hash = Buffer.from(last.hash).toString('hex');
    const signed = await signHead(services, { seq: last.seq, hash }, now);
    await db.sql.transaction().execute((tx) => drop(tx, partition, { ...last, hex: hash, signed, now }));
    dropped.push(partition.name);
  }
  return { dropped, stays };
}

interface Head {
  seq: number;
  hash: Buffer;
  hex: string;
  at: Date;
  signed: string;
  now: Date;
}

async function drop(
  tx: Sql,
  { name, from }: LogPartition,
  { seq, hash, hex, at, signed, now }: Head,
): Promise<void> {
  const entries = seq - from + 1;
  await tx.insertInto('log_seal').values({ seq, hash, at, signed, entries, sealed_at: now }).execute();
  await appendEntry(tx, {
    kind: 'log.sealed',
    at: now,
    actor: 'retention',
    data: { seq, hash: hex, entries, until: at.toISOString() },
  });
  await removePartition(tx, { table: 'log_entry', name, until: at, now });
}

const lastOf = (db: Sql, { until }: LogPartition) =>
  db
    .selectFrom('log_entry')
    .select(['seq', 'hash', 'at'])
    .where('seq', '<', until)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
