import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginAction } from '../../src/actions/begin.ts';
import { receiptKeys, verifyReceipts } from '../../src/approvals/receipts/verify.ts';
import { openKeys } from '../../src/credentials/keys.ts';
import { seal, unseal } from '../../src/credentials/sealing.ts';
import { findSealingKey, makeSealingKey, sealingKeyOf } from '../../src/credentials/sealing-key.ts';
import { call, givenApi, type TestApi } from '../support/api.ts';
import { agentActor, givenApprovedAction, givenToken } from '../support/fixtures.ts';
import { writtenLog } from '../support/log.ts';
import { createTestServices, TEST_SEALING } from '../support/services.ts';
import { runInTest } from '../unit/cli/cli-io.ts';

let api: TestApi;
let url: string;

beforeAll(async () => {
  api = await givenApi(() => createTestServices());
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

const keysAt = async (path: 'jwks' | 'receipt-keys') => {
  const { json } = await call(api.app, `GET /.well-known/${path}.json`);
  return json as { keys: { kid: string }[] };
};
const kidsAt = async (path: 'jwks' | 'receipt-keys') =>
  (await keysAt(path)).keys.map(({ kid }) => kid).sort();
const rotate = () => call(api.app, 'POST /v1/keys/rotate', { as: api.as.admin, body: { reason: 'a drill' } });

async function credentialOf() {
  const { id } = await givenApprovedAction(api.services);
  const { credential } = await beginAction(api.services, agentActor(), { id, executionId: 'e' });
  if (!credential) throw new Error('no credential was given out');
  return { id, credential };
}

test('nothing of a private key or of the secret lies in the store in clear', async () => {
  const { services } = api;
  const row = await services.db.sql.selectFrom('installation').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ secret: null, signing_key: null });
  const { rows } = await sql<{ text: string }>`
    SELECT to_jsonb(k)::text AS text FROM signing_key k`.execute(services.db.sql);
  for (const { text } of rows) expect(text).not.toMatch(/"d":/);
  const key = sealingKeyOf(Buffer.alloc(32, 1).toString('base64'), 'x').key;
  const other = sealingKeyOf(Buffer.alloc(32, 2).toString('base64'), 'x').key;
  const sealed = seal(key, 'this', Buffer.from('secret'));
  expect(seal(key, 'this', Buffer.from('secret'))).not.toBe(sealed);
  expect(unseal(key, 'this', sealed)?.toString()).toBe('secret');
  expect(unseal(other, 'this', sealed)).toBeUndefined();
  expect(unseal(key, 'that', sealed)).toBeUndefined();
  const bytes = Buffer.from(sealed.slice(3), 'base64url');
  for (const at of [0, 12, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(unseal(key, 'this', `v1.${changed.toString('base64url')}`)).toBeUndefined();
  }
  expect(unseal(key, 'this', 'v1.')).toBeUndefined();
});

test('after a rotation old credentials, receipts and checkpoints hold, and the old key goes when nothing needs it', async () => {
  const { services, app, as } = api;
  const before = await credentialOf();
  const old = services.keys.kid;
  const checkpoint = (await call(app, 'GET /v1/log/checkpoint', { as: as.auditor })).json.signed as string;

  const { status, json } = await rotate();
  expect(status).toBe(200);
  expect(json).toMatchObject({ retired: old });
  expect(json.kid).not.toBe(old);
  const after = await credentialOf();
  expect(decodeProtectedHeader(after.credential.token).kid).toBe(json.kid);
  expect(await kidsAt('jwks')).toEqual([old, json.kid].sort());
  const jwks = createLocalJWKSet((await keysAt('jwks')) as never);
  const currentDate = services.clock.now();
  for (const { credential } of [before, after])
    await jwtVerify(credential.token, jwks, { currentDate, audience: credential.audience });

  // Its last credential has expired, and so has one of a process that had not heard of it for some seconds.
  services.clock.moveTo(new Date(new Date(json.servedUntil).getTime() - 1));
  expect(services.clock.now() > before.credential.expiresAt).toBe(true);
  expect(await kidsAt('jwks')).toContain(old);
  services.clock.advance(1);
  expect(await kidsAt('jwks')).toEqual([json.kid]);

  const all = (await keysAt('receipt-keys')) as never;
  expect(await kidsAt('receipt-keys')).toEqual([old, json.kid].sort());
  for (const { id } of [before, after]) {
    const file = (await call(app, `GET /v1/actions/${id}/receipt`, { as: as.auditor })).json;
    expect(await verifyReceipts(file, receiptKeys(all), id)).toHaveLength(1);
  }
  await jwtVerify(checkpoint, createLocalJWKSet(all), { currentDate });
});

test('another process signs with the new key once it has looked, and a restart opens the same keys', async () => {
  const { services } = api;
  const elsewhere = await openKeys(services.db, TEST_SEALING, services.clock.now());
  const secret = services.keys.hmac('x');
  expect(elsewhere.kid).toBe(services.keys.kid);
  const { json } = await rotate();
  expect(elsewhere.kid).toBe(json.retired);
  await elsewhere.reload();
  expect(elsewhere.kid).toBe(json.kid);
  expect(elsewhere.hmac('x')).toBe(secret);
});

test('two rotations at once leave one key that signs', async () => {
  const answers = await Promise.all([rotate(), rotate(), rotate()]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const rows = await api.services.db.sql.selectFrom('signing_key').selectAll().execute();
  expect(rows.filter(({ retired_at }) => retired_at === null)).toHaveLength(1);
  expect(rows.filter(({ sealed }) => sealed !== null)).toHaveLength(1);
});

test('an admin rotates by the CLI, and it is logged; nobody else does', async () => {
  const argv = ['keys', 'rotate', '--reason', 'every quarter'];
  const env = { PORTCULLIS_URL: url, PORTCULLIS_TOKEN: api.as.admin.token };
  const { code, out } = await runInTest(argv, { env });
  expect(code).toBe(0);
  expect(out).toMatch(/^Key [0-9a-f]{16} signs from now on\./);
  const bound = await givenToken(api.services, 'admin', { agent: 'desk' });
  for (const token of [api.as.olga.token, api.as.auditor.token, bound.token])
    expect(await runInTest(argv, { env: { ...env, PORTCULLIS_TOKEN: token } })).toMatchObject({ code: 3 });
  const logged = await writtenLog(api.services.db.sql)
    .select('body')
    .where('kind', '=', 'keys.rotated')
    .orderBy('n', 'desc')
    .executeTakeFirstOrThrow();
  expect(logged.body).toContain('every quarter');
});

test('without the key of the store it does not start, and says which variable', async () => {
  const { db, clock } = api.services;
  const other = sealingKeyOf(Buffer.alloc(32, 9).toString('base64'), 'PORTCULLIS_KEY');
  const never = () => {
    throw new Error('it must make no key for a store that is sealed');
  };
  const open = (find: () => typeof other | undefined) => openKeys(db, { find, make: never }, clock.now());
  await expect(open(() => other)).rejects.toThrow(/PORTCULLIS_KEY: is not the key .*PORTCULLIS_KEY_FILE/);
  await expect(open(() => undefined)).rejects.toThrow(/PORTCULLIS_KEY: is missing/);
});

test('what an earlier version kept in clear is sealed, and signs on', async () => {
  const older = await createTestServices();
  const secret = Buffer.alloc(32, 3);
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
    d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    kid: 'of-an-earlier-version',
  };
  await older.db.sql.deleteFrom('signing_key').execute();
  await older.db.sql
    .updateTable('installation')
    .set({ secret, signing_key: JSON.stringify(jwk), sealed_secret: null })
    .execute();
  const keys = await openKeys(older.db, TEST_SEALING, older.clock.now());
  expect(keys.kid).toBe(jwk.kid);
  const { createHmac } = await import('node:crypto');
  expect(keys.hmac('x')).toBe(createHmac('sha256', secret).update('x').digest('hex'));
  const row = await older.db.sql.selectFrom('installation').selectAll().executeTakeFirstOrThrow();
  expect(row).toMatchObject({ secret: null, signing_key: null });
  await older.close();
});

test('the key file is made once, for its own account alone, and closed when it was open', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'portcullis-key-')), 'key');
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  expect(findSealingKey({ file }, say)).toBeUndefined();
  const made = makeSealingKey({ file }, say);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(said[0]).toContain('Keep a copy');
  expect(makeSealingKey({ file }, say).key).toEqual(made.key);
  writeFileSync(join(file, '../open'), `${made.key.toString('base64')}\n`, { mode: 0o644 });
  expect(findSealingKey({ file: join(file, '../open') }, say)?.key).toEqual(made.key);
  expect(statSync(join(file, '../open')).mode & 0o777).toBe(0o600);
  expect(said.at(-1)).toContain('was open to other accounts');
  for (const given of ['', 'short', 'x'.repeat(44), Buffer.alloc(31).toString('base64'), 'Ä'.repeat(44)])
    expect(() => findSealingKey({ given, file }, say)).toThrow(/PORTCULLIS_KEY: must be 32 random bytes/);
});
