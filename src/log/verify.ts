import type { Sql } from '../db/database.ts';
import { type ChainFault, checkChain, GENESIS } from '../domain/log-chain.ts';
import { readLog } from './read.ts';
import { lastSeal } from './seal.ts';
import { unsequencedTail } from './sequence.ts';

const PAGE = 1_000;

/** A place in the log: an entry and the hash it has. */
export interface LogPlace {
  seq: number;
  hash: string;
}

/** What a walk over the log found. `tail` entries are committed and not numbered yet. */
export interface LogVerification {
  verified: boolean;
  /** The number of the last entry that was checked. */
  entries: number;
  head: string;
  tail: number;
  /** After which entry it began. */
  from: LogPlace;
  /** Set: there is more, which begins after this. */
  next?: LogPlace;
  fault?: ChainFault;
}

/** Before the first entry. */
export const LOG_BEGIN: LogPlace = { seq: 0, hash: GENESIS };

/** Where the log begins: after what was sealed and dropped, else before the first entry. */
async function logStart(db: Sql): Promise<LogPlace> {
  const { seq, hash } = (await lastSeal(db)) ?? LOG_BEGIN;
  return { seq, hash };
}

/** Recomputes the chain after a place, by default from where it begins, over at most so many entries. */
export async function verifyLog(
  db: Sql,
  { after, most = Number.POSITIVE_INFINITY }: { after?: LogPlace; most?: number } = {},
): Promise<LogVerification> {
  const from = after ?? (await logStart(db));
  let place = from;
  for (;;) {
    const records = await readLog(db, { after: place.seq, limit: PAGE });
    const { fault, ...reached } = checkChain(records, place);
    place = reached;
    const found = { from, entries: place.seq, head: place.hash, tail: await unsequencedTail(db) };
    if (fault) return { verified: false, ...found, fault };
    if (records.length < PAGE) return { verified: true, ...found };
    if (place.seq - from.seq >= most) return { verified: true, ...found, next: place };
  }
}
