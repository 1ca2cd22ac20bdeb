import { createHash, randomUUID } from 'node:crypto';
import canonicalize from 'canonicalize';
import Fastify, { type FastifyInstance } from 'fastify';
import { type CryptoKey, createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDesk } from '../../../examples/airline/desk/server.ts';

const ARGS = { reservation_id: 'AB12CD' };
const SALT = Buffer.alloc(32, 7);
const digestOf = (args: unknown) =>
  createHash('sha256')
    .update(SALT)
    .update(canonicalize(args) ?? '')
    .digest('hex');

let keyServer: FastifyInstance;
let desk: FastifyInstance;
let jwksUrl = '';
let key: Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  key = await generateKeyPair('EdDSA');
  const jwk = { ...(await exportJWK(key.publicKey)), kid: 'k', alg: 'EdDSA', use: 'sig' };
  keyServer = Fastify();
  keyServer.get('/jwks', async () => ({ keys: [jwk] }));
  jwksUrl = `${await keyServer.listen({ host: '127.0.0.1', port: 0 })}/jwks`;
});
afterAll(() => keyServer.close());
beforeEach(async () => {
  const records = { tiers: new Map([['mia', 'silver']]), refused: new Set(['0-1/2']) };
  desk = await createDesk({ jwksUrl, records, workMs: 0 });
  return () => desk.close();
});

interface Claims {
  claims?: Record<string, unknown>;
  audience?: string;
  ttlS?: number;
  privateKey?: CryptoKey;
}

function credential({
  claims = {},
  audience = 'airline-desk',
  ttlS = 60,
  privateKey = key.privateKey,
}: Claims = {}) {
  const nowS = Math.floor(Date.now() / 1_000);
  return new SignJWT({
    action: randomUUID(),
    tool: 'cancel_reservation',
    scope: 'reservation:cancel payment:refund',
    args_digest: digestOf(ARGS),
    args_salt: SALT.toString('base64url'),
    jti: randomUUID(),
    ...claims,
  })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'k' })
    .setAudience(audience)
    .setExpirationTime(nowS + ttlS)
    .sign(privateKey);
}

async function credentialOfAnotherKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('EdDSA');
  return credential({ privateKey });
}

async function cancel(token?: string, { call = 0, args = ARGS }: { call?: number; args?: object } = {}) {
  const response = await desk.inject({
    method: 'POST',
    url: '/tools/cancel_reservation',
    headers: token ? { authorization: `Bearer ${token}` } : {},
    payload: { conversation: '0-1', call, args },
  });
  return { status: response.statusCode, ...(response.json() as { code?: string }) };
}

async function tally(): Promise<Record<string, unknown>> {
  return (await desk.inject('/tally')).json() as Record<string, unknown>;
}

type Bad = [name: string, make: (() => Promise<string>) | undefined, code: string];
const BAD: Bad[] = [
  ['none', undefined, 'credential_missing'],
  ['no JWT', async () => 'abc', 'credential_invalid'],
  ['another key', () => credentialOfAnotherKey(), 'credential_invalid'],
  ['another audience', () => credential({ audience: 'other' }), 'credential_invalid'],
  ['expired', () => credential({ ttlS: -1 }), 'credential_expired'],
  ['another tool', () => credential({ claims: { tool: 'send_certificate' } }), 'wrong_tool'],
  ['a scope missing', () => credential({ claims: { scope: 'reservation:cancel' } }), 'scope_missing'],
  [
    'other arguments',
    () => credential({ claims: { args_digest: digestOf({ reservation_id: 'ZZ99ZZ' }) } }),
    'other_arguments',
  ],
  ['no action', () => credential({ claims: { action: undefined } }), 'credential_invalid'],
];

describe('the desk', () => {
  test('does a write for a credential made for it, once', async () => {
    const action = randomUUID();
    const token = await credential({ claims: { action } });
    expect(await cancel(token)).toMatchObject({ status: 200 });
    expect(await cancel(token)).toMatchObject({ status: 403, code: 'credential_used' });
    expect(await cancel(await credential({ claims: { action } }))).toMatchObject({ code: 'credential_used' });
    expect(await tally()).toMatchObject({
      accepted: 1,
      actions: [action],
      refusedCredential: { credential_used: 2 },
    });
  });

  test('does one of two that come at once with the same credential', async () => {
    const token = await credential();
    const statuses = (await Promise.all([cancel(token), cancel(token)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 403]);
  });

  test.each(BAD)('refuses a write with %s', async (_, make, code) => {
    expect(await cancel(await make?.())).toMatchObject({ code });
    expect(await tally()).toMatchObject({ accepted: 0, refusedCredential: { [code]: 1 } });
  });

  test('looks at the credential first, then refuses what its own tool refused', async () => {
    expect(await cancel(undefined, { call: 2 })).toMatchObject({ code: 'credential_missing' });
    expect(await cancel(await credential(), { call: 2 })).toMatchObject({
      status: 409,
      code: 'refused_by_tool',
    });
    expect(await tally()).toMatchObject({ accepted: 0, refusedByTool: 1 });
  });

  test('answers reads without a credential', async () => {
    const payload = { conversation: '0-1', call: 1, args: {} };
    const response = await desk.inject({ method: 'POST', url: '/tools/get_user_details', payload });
    expect(response.statusCode).toBe(200);
    expect(await tally()).toMatchObject({ reads: 1 });
  });

  test('signs what it knows of a customer, for its agent', async () => {
    const url = await desk.listen({ host: '127.0.0.1', port: 0 });
    const response = await desk.inject({
      method: 'POST',
      url: '/assertions',
      payload: { user_id: 'mia', conversation: 'e-1' },
    });
    const { assertion } = response.json() as { assertion: string };
    const keys = createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`));
    const { payload } = await jwtVerify(assertion, keys, { audience: 'airline-desk', issuer: url });
    expect(payload.attributes).toEqual({ tier: 'silver', test_group: expect.any(Boolean), cancellable: '' });
    const unknown = await desk.inject({
      method: 'POST',
      url: '/assertions',
      payload: { user_id: 'nobody', conversation: 'e-1' },
    });
    expect(unknown.statusCode).toBe(404);
  });
});
