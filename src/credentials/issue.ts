import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { CredentialSpec } from '../db/tables-action.ts';
import type { ActionRow } from '../records/action.ts';
import { type Keys, SIGNING_ALGORITHM } from './keys.ts';

interface IssuerServices {
  db: Database;
  clock: Clock;
  keys: Keys;
  issuer: string;
}

/** A credential for exactly one action. `token` is a JWT; it is never stored. */
export interface IssuedCredential {
  token: string;
  jti: string;
  scopes: readonly string[];
  audience: string;
  expiresAt: Date;
}

/** What would be minted for an action: pure, so that a decision can be replayed. */
export function describeCredential(
  action: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'args_digest'>,
  spec: CredentialSpec,
) {
  return {
    sub: `agent/${action.agent}`,
    aud: spec.audience,
    scope: spec.scopes.join(' '),
    action: action.id,
    tool: action.tool,
    args_digest: action.args_digest,
  };
}

/** Mints a credential, whose lease is not stored: until it is, the token must not be given out. */
export function mintCredential(
  { keys, issuer }: Pick<IssuerServices, 'keys' | 'issuer'>,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'args_digest'>,
  { spec, salt, now }: { spec: CredentialSpec; salt: Buffer; now: Date },
): IssuedCredential {
  const issuedS = Math.floor(now.getTime() / 1000);
  const expiresAt = new Date((issuedS + Math.floor(spec.ttlMs / 1000)) * 1000);
  const jti = randomUUID();
  const token = signedJwt(keys, {
    ...describeCredential(action, spec),
    args_salt: salt.toString('base64url'),
    iss: issuer,
    jti,
    iat: issuedS,
    exp: expiresAt.getTime() / 1000,
  });
  return { token, jti, scopes: spec.scopes, audience: spec.audience, expiresAt };
}

/**
 * Mints the credential outside any transaction, then stores its lease and checks again; `undefined` when a stop came
 * in between (the lease is then stored as revoked and the token is not given out).
 */
export async function issueCredential(
  services: IssuerServices,
  action: ActionRow,
  salt: Buffer,
): Promise<IssuedCredential | undefined> {
  const { credential: spec, execution_id } = action;
  if (!spec || !execution_id) return undefined;
  const now = services.clock.now();
  const credential = mintCredential(services, action, { spec, salt, now });
  const { jti, expiresAt } = credential;
  const stored = await sql<{ ok: boolean }>`
    SELECT store_credential(${jti}, ${action.id}, ${execution_id}, ${now}, ${expiresAt}) AS ok`.execute(
    services.db.gate,
  );
  return stored.rows[0]?.ok ? credential : undefined;
}

/** By hand, on the path of every write: jose signs through WebCrypto, which takes three times as long. It verifies. */
function signedJwt(keys: Keys, claims: Readonly<Record<string, unknown>>): string {
  const header = { alg: SIGNING_ALGORITHM, kid: keys.kid, typ: 'JWT' };
  const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${text}.${keys.sign(text).toString('base64url')}`;
}

const base64url = (text: string): string => Buffer.from(text).toString('base64url');
