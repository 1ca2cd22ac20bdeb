import {
  createHmac,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { type CryptoKey, importJWK, type JWK } from 'jose';
import type { Selectable } from 'kysely';
import type { Database, Sql } from '../db/database.ts';
import type { SigningKeyTable } from '../db/tables-access.ts';
import { CREDENTIAL_TTL_MAX_S } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { seal, unseal } from './sealing.ts';
import type { SealingKey } from './sealing-key.ts';

export const SIGNING_ALGORITHM = 'EdDSA';
/** Until then every process signs with the new key. */
export const KEYS_RELOADED_EVERY_MS = 5_000;
/** The last credential that an old key signed has expired: one of a process that had not reloaded, on a late clock. */
const SERVED_AFTER_MS = (CREDENTIAL_TTL_MAX_S + 60) * 1_000 + 4 * KEYS_RELOADED_EVERY_MS;
const SECRET = 'installation secret';
const SECRET_BYTES = 32;

/** The installation's secret and signing keys. */
export interface Keys {
  /** Of the key that signs now. */
  readonly kid: string;
  readonly privateKey: CryptoKey | Uint8Array;
  readonly publicJwk: JWK;
  /** The signature of a text by that key (Ed25519). */
  sign(text: string): Buffer;
  /** What `/.well-known/jwks.json` serves: the key that signs, and old ones whose credentials may still live. */
  published(at: Date): JWK[];
  /** Every key that ever signed: receipts and checkpoints do not end. */
  all(): JWK[];
  /** HMAC-SHA-256 under the installation's secret, hex. */
  hmac(text: string): string;
  /** Another key signs from now on; inside the transaction that logs it. `reload` follows its commit. */
  replace(tx: Sql, at: Date): Promise<Replaced>;
  /** Looks whether another process replaced the key. */
  reload(): Promise<void>;
}

export interface Replaced {
  kid: string;
  retired: string;
  /** Until when the old one is served. */
  servedUntil: Date;
}

type KeyRow = Selectable<SigningKeyTable>;

/** Finds the key that opens the store, or makes it: only for a store in which nothing is sealed yet. */
export interface SealingSource {
  find(): SealingKey | undefined;
  make(): SealingKey;
}

/**
 * Opens what `migrate` prepared: the first time it makes the secret and the signing key, and what an earlier version
 * kept in clear is sealed.
 * @throws AppError `config_invalid` without the key that they were sealed with
 */
export async function openKeys(db: Database, source: SealingSource, now: Date): Promise<Keys> {
  const [sealing, secret] = await db.sql.transaction().execute(async (tx) => {
    const row = await tx.selectFrom('installation').selectAll().forUpdate().executeTakeFirstOrThrow();
    const found = source.find();
    if (row.sealed_secret !== null) return [openedBy(found, row.sealed_secret), row.sealed_secret] as const;
    const sealing = found ?? source.make();
    const sealed = seal(sealing.key, SECRET, row.secret ?? randomBytes(SECRET_BYTES));
    await addKey(tx, sealing, (row.signing_key as JWK | null) ?? newSigningKey(), now);
    await tx
      .updateTable('installation')
      .set({ sealed_secret: sealed, secret: null, signing_key: null })
      .execute();
    return [sealing, sealed] as const;
  });
  const ring = new KeyRing(db.sql, sealing, opened(sealing, SECRET, secret));
  await ring.reload();
  return ring;
}

function openedBy(sealing: SealingKey | undefined, sealed: string): SealingKey {
  if (sealing && unseal(sealing.key, SECRET, sealed)) return sealing;
  const problem = sealing
    ? `${sealing.from}: is not the key with which the keys of this store were sealed`
    : 'PORTCULLIS_KEY: is missing, and the keys of this store are sealed';
  const mend = 'give every process the key of the first one (PORTCULLIS_KEY, or PORTCULLIS_KEY_FILE)';
  throw new AppError('config_invalid', `Cannot start:\n- ${problem}; ${mend}`);
}

function opened(sealing: SealingKey, purpose: string, text: string): Buffer {
  const plain = unseal(sealing.key, purpose, text);
  if (plain) return plain;
  throw new AppError(
    'config_invalid',
    `Cannot open the ${purpose}: it was changed, or sealed with another key`,
  );
}

const newSigningKey = (): JWK => ({
  ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }),
  kid: randomBytes(8).toString('hex'),
});

const purposeOf = (kid: string): string => `signing key ${kid}`;

async function addKey(tx: Sql, sealing: SealingKey, jwk: JWK, now: Date): Promise<string> {
  const { d: _private, ...publicJwk } = jwk;
  const kid = String(jwk.kid);
  await tx
    .insertInto('signing_key')
    .values({
      kid,
      public_jwk: JSON.stringify({ ...publicJwk, alg: SIGNING_ALGORITHM, use: 'sig' }),
      sealed: seal(sealing.key, purposeOf(kid), Buffer.from(JSON.stringify(jwk))),
      created_at: now,
      retired_at: null,
      served_until: null,
    })
    .execute();
  return kid;
}

class KeyRing implements Keys {
  readonly #db: Sql;
  readonly #sealing: SealingKey;
  readonly #secret: Buffer;
  #rows: readonly KeyRow[] = [];
  #current:
    | { kid: string; privateKey: CryptoKey | Uint8Array; signingKey: KeyObject; publicJwk: JWK }
    | undefined;

  constructor(db: Sql, sealing: SealingKey, secret: Buffer) {
    this.#db = db;
    this.#sealing = sealing;
    this.#secret = secret;
  }

  get kid(): string {
    return this.#signing.kid;
  }

  get privateKey(): CryptoKey | Uint8Array {
    return this.#signing.privateKey;
  }

  get publicJwk(): JWK {
    return this.#signing.publicJwk;
  }

  sign(text: string): Buffer {
    return sign(null, Buffer.from(text), this.#signing.signingKey);
  }

  published(at: Date): JWK[] {
    const serves = ({ served_until }: KeyRow) => served_until === null || served_until > at;
    return this.#rows.filter(serves).map(({ public_jwk }) => ({ ...public_jwk }));
  }

  all(): JWK[] {
    return this.#rows.map(({ public_jwk }) => ({ ...public_jwk }));
  }

  hmac(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('hex');
  }

  async replace(tx: Sql, at: Date): Promise<Replaced> {
    await tx.selectFrom('installation').select('id').forUpdate().execute();
    const old = await tx
      .selectFrom('signing_key')
      .select('kid')
      .where('retired_at', 'is', null)
      .executeTakeFirstOrThrow();
    const servedUntil = new Date(at.getTime() + SERVED_AFTER_MS);
    await tx
      .updateTable('signing_key')
      .set({ retired_at: at, served_until: servedUntil, sealed: null })
      .where('kid', '=', old.kid)
      .execute();
    return { kid: await addKey(tx, this.#sealing, newSigningKey(), at), retired: old.kid, servedUntil };
  }

  async reload(): Promise<void> {
    const rows = await this.#db.selectFrom('signing_key').selectAll().orderBy('created_at', 'desc').execute();
    const signing = rows.find(({ retired_at }) => retired_at === null);
    if (!signing?.sealed) throw new Error('the store has no signing key');
    if (signing.kid !== this.#current?.kid) {
      const jwk = JSON.parse(opened(this.#sealing, purposeOf(signing.kid), signing.sealed).toString()) as JWK;
      const privateKey = await importJWK(jwk, SIGNING_ALGORITHM);
      const signingKey = createPrivateKey({ key: jwk as Record<string, unknown>, format: 'jwk' });
      this.#current = { kid: signing.kid, privateKey, signingKey, publicJwk: signing.public_jwk as JWK };
    }
    this.#rows = rows;
  }

  get #signing() {
    if (!this.#current) throw new Error('the keys are not loaded');
    return this.#current;
  }
}

export const newSalt = (): Buffer => randomBytes(32);
