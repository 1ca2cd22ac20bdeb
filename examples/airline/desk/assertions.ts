import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Customer } from './customers.ts';

const LIFETIME = '10m';

/** Signs what the airline knows of a customer and which conversation it is, for an agent to show to Portcullis. */
export interface Assertions {
  jwks: { keys: JWK[] };
  sign(customer: Customer, conversation: string): Promise<string>;
}

/** A key of its own, made at start. */
export async function createAssertions(issuer: () => string, audience: string): Promise<Assertions> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'desk', alg: 'EdDSA', use: 'sig' };
  return {
    jwks: { keys: [jwk] },
    sign: (customer, conversation) =>
      new SignJWT({ attributes: { ...customer } })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'desk', typ: 'JWT' })
        .setIssuer(issuer())
        .setSubject(conversation)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(LIFETIME)
        .sign(privateKey),
  };
}
