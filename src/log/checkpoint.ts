import { SignJWT } from 'jose';
import { SIGNING_ALGORITHM } from '../credentials/keys.ts';
import { GENESIS } from '../domain/log-chain.ts';
import type { Services } from '../services.ts';
import { readLog } from './read.ts';
import { unsequencedTail } from './sequence.ts';

/** The log's head, signed: whoever keeps one can tell later whether the past was rewritten. */
export interface Checkpoint {
  seq: number;
  hash: string;
  /** Committed and not numbered yet. */
  tail: number;
  /** A JWS over seq and hash by a key of `/.well-known/receipt-keys.json`. */
  signed: string;
}

export const CHECKPOINT_TYPE = 'portcullis-checkpoint+jwt';

export async function checkpoint({ db, clock, keys, issuer }: Services): Promise<Checkpoint> {
  const [head] = await readLog(db.sql, { limit: 1, newestFirst: true });
  const { seq, hash } = head ?? { seq: 0, hash: GENESIS };
  const signed = await new SignJWT({ seq, hash, iss: issuer })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: keys.kid, typ: CHECKPOINT_TYPE })
    .setIssuedAt(clock.now())
    .sign(keys.privateKey);
  return { seq, hash, tail: await unsequencedTail(db.sql), signed };
}
