import { SignJWT } from 'jose';
import { SIGNING_ALGORITHM } from '../credentials/keys.ts';
import type { Services } from '../services.ts';
import { readLog } from './read.ts';
import { lastSeal, type Seal } from './seal.ts';
import { unsequencedTail } from './sequence.ts';
import { LOG_BEGIN, type LogPlace } from './verify.ts';

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

const CHECKPOINT_TYPE = 'portcullis-checkpoint+jwt';

export async function checkpoint(services: Services): Promise<Checkpoint> {
  const { sql } = services.db;
  const seal = await lastSeal(sql);
  const from = seal ? { seq: seal.seq, hash: seal.hash, seal } : LOG_BEGIN;
  const [head = from] = await readLog(sql, { limit: 1, newestFirst: true });
  const { seq, hash } = head;
  const signed = await signHead(services, { seq, hash }, services.clock.now());
  return { seq, hash, tail: await unsequencedTail(sql), signed, from };
}

/** A JWS over a place in the log. */
export const signHead = (
  { keys, issuer }: Pick<Services, 'keys' | 'issuer'>,
  { seq, hash }: LogPlace,
  now: Date,
): Promise<string> =>
  new SignJWT({ seq, hash, iss: issuer })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: keys.kid, typ: CHECKPOINT_TYPE })
    .setIssuedAt(now)
    .sign(keys.privateKey);
