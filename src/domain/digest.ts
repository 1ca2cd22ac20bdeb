import { createHash, createHmac } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256(salt ‖ RFC 8785 form), hex: proves the value to whoever holds the salt, and nothing without it. */
export const saltedDigest = (salt: Buffer, value: unknown): string =>
  saltedTextDigest(salt, canonical(value));

/** The same of a value that is in RFC 8785 form already: to write large arguments takes long. */
export const saltedTextDigest = (salt: Buffer, text: string): string =>
  createHash('sha256').update(salt).update(text).digest('hex');

/** SHA-256 of the RFC 8785 form, hex: for manifests and plans, which hold nothing personal. */
export const digestOf = (value: unknown): string =>
  createHash('sha256').update(canonical(value)).digest('hex');

/** RFC 8785 JSON. @throws TypeError for what JSON cannot hold. */
export function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('the value has no JSON form');
  return text;
}

/** A list, in RFC 8785 form, of values that are in that form already. */
export const canonicalList = (texts: readonly string[]): string => `[${texts.join(',')}]`;

/** A subject in the log: HMAC-SHA-256 under its own key, which erasure deletes. */
export const subjectDigest = (key: Buffer, subject: string): string =>
  createHmac('sha256', key).update(subject).digest('hex');
