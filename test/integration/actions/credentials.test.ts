import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rotateKeys } from '../../../src/tokens/rotate-keys.ts';
import { actorOf, givenAdopted, givenApprovedAction } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { begin } from './support.ts';

let services: TestServices;

beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services);
});
afterAll(() => services.close());

const mint = async () => {
  const { credential, action } = await begin(services, await givenApprovedAction(services));
  if (!credential) throw new Error('nothing was minted');
  return { ...credential, action };
};
const verified = (token: string) =>
  jwtVerify(token, createLocalJWKSet({ keys: services.keys.published(services.clock.now()) }), {
    algorithms: ['EdDSA'],
    issuer: services.publicUrl,
    audience: 'desk',
    typ: 'JWT',
    currentDate: services.clock.now(),
  });

test('a credential is verified by the published keys with a library that knows nothing of this service', async () => {
  const { token, jti, action, expiresAt } = await mint();
  const { payload, protectedHeader } = await verified(token);
  expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: services.keys.kid, typ: 'JWT' });
  expect(payload).toEqual({
    sub: 'agent/desk',
    aud: 'desk',
    scope: 'order:cancel',
    action: action.id,
    tool: 'cancel',
    args_digest: action.args_digest,
    args_salt: expect.stringMatching(/^[\w-]{43}$/),
    iss: services.publicUrl,
    jti,
    iat: Math.floor(services.clock.now().getTime() / 1_000),
    exp: expiresAt.getTime() / 1_000,
  });
});

test('byte for byte it is what that library would have signed', async () => {
  const { token } = await mint();
  const signed = await new SignJWT(decodeJwt(token))
    .setProtectedHeader({ alg: 'EdDSA', ...decodeProtectedHeader(token) })
    .sign(services.keys.privateKey);
  expect(token).toBe(signed);
});

test('one that was changed is none', async () => {
  const { token } = await mint();
  const [header, claims, signature = ''] = token.split('.');
  const other = Buffer.from(JSON.stringify({ ...decodeJwt(token), tool: 'refund' })).toString('base64url');
  await expect(verified(`${header}.${other}.${signature}`)).rejects.toThrow('signature');
  const turned = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  await expect(verified(`${header}.${claims}.${turned}`)).rejects.toThrow('signature');
});

test('after a rotation the new key signs, and what the old one signed holds', async () => {
  const before = await mint();
  const { kid, retired } = await rotateKeys(services, actorOf('admin'), { reason: 'yearly' });
  const after = await mint();
  expect(decodeProtectedHeader(before.token).kid).toBe(retired);
  expect(decodeProtectedHeader(after.token).kid).toBe(kid);
  for (const { token } of [before, after]) await verified(token);
});
