import type { Sql } from '../db/database.ts';
import { type ChainFault, checkChain, GENESIS } from '../domain/log-chain.ts';
import { readLog } from './read.ts';
import { unsequencedTail } from './sequence.ts';

const PAGE = 1_000;

/** What a walk over the whole log found. `tail` entries are committed and not numbered yet. */
export interface LogVerification {
  verified: boolean;
  entries: number;
  head: string;
  tail: number;
  fault?: ChainFault;
}

/** Recomputes the chain from the first entry. */
export async function verifyLog(db: Sql): Promise<LogVerification> {
  let place = { seq: 0, hash: GENESIS };
  for (;;) {
    const records = await readLog(db, { after: place.seq, limit: PAGE });
    const { fault, ...reached } = checkChain(records, place);
    place = reached;
    const tail = await unsequencedTail(db);
    if (fault) return { verified: false, entries: place.seq, head: place.hash, tail, fault };
    if (records.length < PAGE) return { verified: true, entries: place.seq, head: place.hash, tail };
  }
}
