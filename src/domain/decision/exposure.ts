import { createHash } from 'node:crypto';
import type { Arm, BasisPoints } from '../decision.ts';

export const BUCKET_COUNT = 10_000;

/** The subject's fixed place 0..9999 under a rollout's salt: first 8 bytes of SHA-256(salt, newline, subject). */
export function bucketOf(salt: string, subject: string): number {
  const digest = createHash('sha256').update(`${salt}\n${subject}`, 'utf8').digest();
  return Number(digest.readBigUInt64BE(0) % BigInt(BUCKET_COUNT));
}

/** Widening only ever adds buckets, so it never takes a subject out of the candidate. */
export const armOf = (bucket: number, exposure: BasisPoints): Arm =>
  bucket < exposure ? 'candidate' : 'control';
