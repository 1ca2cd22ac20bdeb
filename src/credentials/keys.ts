import { createHmac, randomBytes } from 'node:crypto';
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
