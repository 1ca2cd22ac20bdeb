import { createHash, createHmac, randomBytes } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import type { Sql } from '../db/database.ts';

/** The installation's secret and signing key; loaded once at start. */
export interface Keys {
  kid: string;
  privateKey: CryptoKey | Uint8Array;
  /** What `/.well-known/jwks.json` serves. */
  publicJwk: JWK;
  /** HMAC-SHA-256 under the installation's secret, hex. */
  hmac(text: string): string;
}

export const SIGNING_ALGORITHM = 'EdDSA';

/** Loads the keys that `migrate` made. */
export async function loadKeys(db: Sql): Promise<Keys> {
  const row = await db.selectFrom('installation').selectAll().executeTakeFirstOrThrow();
  const jwk = row.signing_key as JWK;
  const { d: _private, ...publicJwk } = jwk;
  return {
    kid: String(jwk.kid),
    privateKey: await importJWK(jwk, SIGNING_ALGORITHM),
    publicJwk: { ...publicJwk, alg: SIGNING_ALGORITHM, use: 'sig' },
    hmac: (text) => createHmac('sha256', row.secret).update(text).digest('hex'),
  };
}

export const newSalt = (): Buffer => randomBytes(32);

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
