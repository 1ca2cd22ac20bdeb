import { SignJWT } from 'jose';
import { SIGNING_ALGORITHM } from '../credentials/keys.ts';
import type { Sql } from '../db/database.ts';
import { GENESIS } from '../domain/log-chain.ts';
import type { Services } from '../services.ts';
import { readLog } from './read.ts';
import { lastSeal, type Seal } from './seal.ts';
import { unsequencedTail } from './sequence.ts';
import { type LogPlace, logStart } from './verify.ts';

/** The log's head, signed: whoever keeps one can tell later whether the past was rewritten. */
export interface Checkpoint {
  seq: number;
  hash: string;
  /** Committed and not numbered yet. */
  tail: number;
  /** A JWS over seq and hash by a key of `/.well-known/receipt-keys.json`. */
  signed: string;
  /** After which entry it begins; with the seal, where what was before was dropped. */
  from: LogPlace & { seal?: Seal };
}

export const CHECKPOINT_TYPE = 'portcullis-checkpoint+jwt';

export async function checkpoint({ db, clock, keys, issuer }: Services): Promise<Checkpoint> {
  const [head] = await readLog(db.sql, { limit: 1, newestFirst: true });
  const { seq, hash } = head ?? (await logStart(db.sql));
  const signed = await new SignJWT({ seq, hash, iss: issuer })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: keys.kid, typ: CHECKPOINT_TYPE })
    .setIssuedAt(clock.now())
    .sign(keys.privateKey);
  return { seq, hash, tail: await unsequencedTail(db.sql), signed, from: await fromOf(db.sql) };
}

async function fromOf(db: Sql): Promise<Checkpoint['from']> {
  const seal = await lastSeal(db);
  return seal ? { seq: seal.seq, hash: seal.hash, seal } : { seq: 0, hash: GENESIS };
}
