import { afterAll, beforeAll, expect, test } from 'vitest';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { actorOf, givenPendingAction, givenToken } from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';
import { openBrowser } from './browser.ts';

let api: TestApi;

beforeAll(async () => {
  api = await givenApi(() => createTestServices());
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

test('signing out ends the session for whoever has its cookie, and no other', async () => {
  const [one, other] = [await openBrowser(api.app, api.as.ana), await openBrowser(api.app, api.as.ana)];
  const page = await one.get('/actions');
  expect(page.status).toBe(200);
  expect((await one.send(page, 'Sign out')).status).toBe(303);
  // The browser of this test keeps the cookie that it was told to drop.
  const after = await one.get('/actions');
  expect(after).toMatchObject({ status: 303, headers: { location: '/login?next=%2Factions' } });
  const { id } = await givenPendingAction(api.services);
  const stale = await other.get(`/actions/${id}`);
  expect(stale.status).toBe(200);
  const denied = await one.send(stale, 'Deny').catch((error: unknown) => error);
  expect(JSON.stringify(denied)).not.toContain('done=deny');
  expect((await call(api.app, `GET /v1/actions/${id}`, { as: api.as.ana })).json.state).toBe('pending');
});

test('what signed-out sessions leave behind is forgotten when their cookies are over', async () => {
  const browser = await openBrowser(api.app, api.as.ben);
  await browser.send(await browser.get('/actions'), 'Sign out');
  api.services.clock.advance(4 * 3_600_000 + 1_000);
  const later = await openBrowser(api.app, api.as.ben);
  await later.send(await later.get('/actions'), 'Sign out');
  const left = await api.services.db.sql.selectFrom('ended_session').selectAll().execute();
  expect(left).toHaveLength(1);
});

test('a long poll ends with its token, and tells nothing more', async () => {
  const { services, app } = api;
  const { id } = await givenPendingAction(services);
  const token = await givenToken(services, 'auditor');
  const startedAt = performance.now();
  const waiting = call(app, `GET /v1/actions/${id}?wait=60s`, { as: token });
  const other = call(app, `GET /v1/actions/${id}?wait=4s`, { as: api.as.auditor });
  setTimeout(() => void revokeToken(services, actorOf('admin'), token.id), 100);
  expect(await waiting).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
  expect(performance.now() - startedAt).toBeLessThan(20_000);
  expect(await other).toMatchObject({ status: 200, json: { state: 'pending' } });
});
