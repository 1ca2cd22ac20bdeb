import type { LookupAddress } from 'node:dns';
import { Agent, fetch } from 'undici';
import { expect, test } from 'vitest';
import { post } from '../../../activities/webhook.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { lookupOutward } from '../../../src/net/outward.ts';

/** A resolver that leads every name to these addresses. */
const leadsTo = (...addresses: LookupAddress[]) =>
  ((_: string, __: object, done: (error: null, found: LookupAddress[]) => void) =>
    done(null, addresses)) as unknown as Parameters<typeof lookupOutward>[0];

const causeOf = async (...addresses: LookupAddress[]) =>
  fetch(`http://rebound.example:${await freePort()}/`, {
    dispatcher: new Agent({ connect: { lookup: lookupOutward(leadsTo(...addresses)) } }),
  }).catch((error: Error) => (error.cause as { code?: string }).code);

test('a name that leads to a link-local address is not called, also when only one of its addresses is', async () => {
  expect(await causeOf({ address: '169.254.169.254', family: 4 })).toBe('ELINKLOCAL');
  expect(await causeOf({ address: 'fe80::1', family: 6 })).toBe('ELINKLOCAL');
  expect(await causeOf({ address: '127.0.0.1', family: 4 }, { address: '169.254.169.254', family: 4 })).toBe(
    'ELINKLOCAL',
  );
  expect(await causeOf({ address: '127.0.0.1', family: 4 })).toBe('ECONNREFUSED');
});

test('an address that was stored before it was refused is not called either', async () => {
  await expect(post('http://169.254.169.254/latest', {}, '{}')).rejects.toThrow('link-local');
  await expect(post('http://[fe80::1]/', {}, '{}')).rejects.toThrow('link-local');
});
