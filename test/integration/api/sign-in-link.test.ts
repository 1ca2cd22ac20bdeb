import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { SignInLinks } from '../../../src/api/sign-in-links.ts';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { call } from '../../support/api.ts';
import { actorOf, givenToken } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

const MINUTE_MS = 60_000;

let services: TestServices;
let links: SignInLinks;
let app: Awaited<ReturnType<typeof createApi>>;
let tokenId: string;
beforeAll(async () => {
  services = await createTestServices();
  links = new SignInLinks(services.clock);
  app = await createApi(services, { signIn: links });
  ({ id: tokenId } = await givenToken(services, ['approver'], { person: 'ana' }));
});
afterAll(async () => {
  await app.close();
  await services.close();
});

test('a link signs in once; looking at it does not use it up', async () => {
  const path = links.issue(tokenId);
  expect((await app.inject({ method: 'HEAD', url: path })).statusCode).toBe(404);
  const first = await call(app, `GET ${path}`);
  expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
  const cookie = String(first.headers['set-cookie']).split(';')[0] ?? '';
  expect((await call(app, 'GET /queue', { headers: { cookie } })).status).toBe(200);
  const second = await call(app, `GET ${path}`);
  expect(second.status).toBe(401);
  expect(second.headers['set-cookie']).toBeUndefined();
  expect(second.text).toContain('This link was used');
});

test('a link is over after a quarter of an hour, and with its token', async () => {
  const old = links.issue(tokenId);
  services.clock.advance(15 * MINUTE_MS);
  expect((await call(app, `GET ${old}`)).status).toBe(401);
  const { id } = await givenToken(services, ['approver'], { person: 'ben' });
  const path = links.issue(id);
  await revokeToken(services, actorOf('admin'), id);
  const { status, headers } = await call(app, `GET ${path}`);
  expect([401, 303]).toContain(status);
  expect(headers['set-cookie']).toBeUndefined();
});

test('an invented one is none, and a service without links has no such page', async () => {
  expect((await call(app, 'GET /sign-in/AAAA')).status).toBe(401);
  const plain = await createApi(services);
  expect((await call(plain, 'GET /sign-in/AAAA')).status).toBe(404);
  await plain.close();
});
