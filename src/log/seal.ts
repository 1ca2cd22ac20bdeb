import type { Sql } from '../db/database.ts';

/** Where the log was cut last: an entry, with the head it made, and how many were dropped until then. */
export interface Seal {
  seq: number;
  hash: string;
  /** Of the entry. */
  at: Date;
  sealedAt: Date;
  entries: number;
  /** A JWS over seq and hash by a key of `/.well-known/receipt-keys.json`. */
  signed: string;
}

/** `undefined`: the log begins with its first entry. */
export async function lastSeal(db: Sql): Promise<Seal | undefined> {
  const row = await db.selectFrom('log_seal').selectAll().orderBy('seq', 'desc').limit(1).executeTakeFirst();
  if (!row) return undefined;
  const { seq, hash, at, sealed_at: sealedAt, signed } = row;
  // Each is cut where the one before ended, and the first entry is number one.
  return { seq, hash: Buffer.from(hash).toString('hex'), at, sealedAt, entries: seq, signed };
}
