import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createApi } from '../../../src/api/server.ts';
import { readLog } from '../../../src/log/read.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { AGENT_YAML, agentFrom, managerActor } from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';

let api: TestApi;

beforeAll(async () => {
  api = await givenApi(() => createTestServices());
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

test('it answers for its own names alone, on every route', async () => {
  const app = await createApi(api.services, { allowedHosts: ['gate.internal'] });
  const ask = (host: string, path = '/v1/actions') =>
    call(app, `GET ${path}`, { headers: { host, ...api.as.auditor.headers } });
  for (const host of [
    'portcullis.test',
    'portcullis.test:8443',
    'PORTCULLIS.test',
    'gate.internal:8080',
    'localhost',
    '127.0.0.1:8080',
    '[::1]:8080',
    '10.1.2.3',
  ])
    expect({ host, status: (await ask(host)).status }).toEqual({ host, status: 200 });
  for (const host of [
    'evil.example',
    'evil.example:8080',
    'portcullis.test.evil.example',
    'localhost.evil.example',
    'gate.internal.evil.example',
    '127.0.0.1.evil.example',
    'evil.example/127.0.0.1',
    'a@evil.example',
  ]) {
    for (const path of ['/v1/actions', '/healthz', '/', '/login', '/nowhere', '/openapi.json'])
      expect({ host, path, status: (await ask(host, path)).status }).toEqual({ host, path, status: 421 });
    expect((await ask(host)).json.code).toBe('host_unknown');
  }
  await app.close();
});

test('the keys in addresses are for those who write the manifest', async () => {
  const { services, app, as } = api;
  const withKey = (key: string) =>
    agentFrom(
      `${AGENT_YAML}webhook: { url: "https://hooks.ours.example/${key}" }\ncallback: { url: "https://cb.ours.example/?k=${key}" }\n`,
    );
  await applyAgent(services, managerActor(), withKey('k3y-one'));
  const changed = await applyAgent(services, managerActor(), withKey('k3y-two'));
  expect(changed.changes.map(({ what }) => what)).toEqual(['webhook', 'callback']);
  for (const reader of [as.agent, as.ana, as.cleo, as.auditor]) {
    const { status, text } = await call(app, 'GET /v1/agents/desk', { as: reader });
    expect(status).toBe(200);
    expect(text).toContain('https://hooks.ours.example/[hidden]');
    expect(text).not.toContain('k3y');
  }
  expect((await call(app, 'GET /v1/agents/desk', { as: as.olga })).text).toContain('k3y-two');
  while ((await sequenceLog(services.db.sql)) > 0);
  const log = JSON.stringify([changed, await readLog(services.db.sql, { limit: 1_000 })]);
  expect(log).toContain('hooks.ours.example');
  expect(log).not.toContain('k3y');
});
