import { createHash, createHmac } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256(salt ‖ RFC 8785 form), hex: proves the value to whoever holds the salt, and nothing without it. */
export function saltedDigest(salt: Buffer, value: unknown): string {
  return createHash('sha256').update(salt).update(canonical(value)).digest('hex');
}

/** SHA-256 of the RFC 8785 form, hex: for manifests and plans, which hold nothing personal. */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonical(value)).digest('hex');

/** RFC 8785 JSON. @throws TypeError for what JSON cannot hold. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('the value has no JSON form');
  return text;
}

/** A subject in the log: HMAC-SHA-256 under its own key, which erasure deletes. */
export const subjectDigest = (key: Buffer, subject: string): string =>
  createHmac('sha256', key).update(subject).digest('hex');
