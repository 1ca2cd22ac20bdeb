import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

export const AUDIENCE = 'airline-desk';

/** The airline's write tools and the scopes each needs. Every other tool is a read and needs no credential. */
export const WRITE_SCOPES: Readonly<Record<string, readonly string[]>> = {
  book_reservation: ['reservation:create', 'payment:charge'],
  cancel_reservation: ['reservation:cancel', 'payment:refund'],
  update_reservation_flights: ['reservation:update', 'payment:charge', 'payment:refund'],
  update_reservation_baggages: ['reservation:update', 'payment:charge'],
  update_reservation_passengers: ['reservation:update'],
  send_certificate: ['certificate:send'],
};

/** Why a write was refused before anything else was looked at. */
export type Refusal =
  | 'credential_missing'
  | 'credential_invalid'
  | 'credential_expired'
  | 'wrong_tool'
  | 'scope_missing'
  | 'other_arguments'
  | 'credential_used';

export type Checked = { ok: true; action: string } | { ok: false; refusal: Refusal };

/** Checks per-action credentials by the keys that Portcullis publishes; each is good for one write. */
export class CredentialCheck {
  readonly #keys: JWTVerifyGetKey;
  readonly #used = new Set<string>();

  constructor(jwksUrl: string) {
    this.#keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });
  }

  async check(authorization: string | undefined, tool: string, args: unknown): Promise<Checked> {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return { ok: false, refusal: 'credential_missing' };
    const verified = await this.#verify(token);
    if ('refusal' in verified) return { ok: false, refusal: verified.refusal };
    const refusal = mismatch(verified.payload, tool, args);
    if (refusal) return { ok: false, refusal };
    const { action, jti } = verified.payload as { action: string; jti: string };
    // From here to the write nothing waits: two requests with one credential cannot both pass.
    if (this.#used.has(action) || this.#used.has(jti)) return { ok: false, refusal: 'credential_used' };
    this.#used.add(action).add(jti);
    return { ok: true, action };
  }

  async #verify(token: string): Promise<{ payload: JWTPayload } | { refusal: Refusal }> {
    try {
      return await jwtVerify(token, this.#keys, {
        audience: AUDIENCE,
        algorithms: ['EdDSA'],
        requiredClaims: ['exp', 'jti', 'action', 'tool', 'scope', 'args_digest', 'args_salt'],
      });
    } catch (error) {
      return { refusal: error instanceof errors.JWTExpired ? 'credential_expired' : 'credential_invalid' };
    }
  }
}

function mismatch(claims: JWTPayload, tool: string, args: unknown): Refusal | undefined {
  if (claims.tool !== tool) return 'wrong_tool';
  const scopes = new Set(String(claims.scope).split(' '));
  if (!(WRITE_SCOPES[tool] ?? []).every((scope) => scopes.has(scope))) return 'scope_missing';
  const digest = createHash('sha256')
    .update(Buffer.from(String(claims.args_salt), 'base64url'))
    .update(canonicalize(args) ?? '')
    .digest('hex');
  return digest === claims.args_digest ? undefined : 'other_arguments';
}
