import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { revokeToken } from '../../../src/tokens/revoke.ts';
import { askBody, call } from '../../support/api.ts';
import { testPostgres } from '../../support/context.ts';
import {
  actorOf,
  type GivenToken,
  givenAdopted,
  givenApprovedAction,
  givenToken,
} from '../../support/fixtures.ts';
import { createDatabase } from '../../support/postgres.ts';
import { servicesAt, type TestServices } from '../../support/services.ts';

let services: TestServices;
let other: ChildProcess;
let url: string;

beforeAll(async () => {
  const database = await createDatabase(testPostgres());
  services = await servicesAt(database);
  await givenAdopted(services);
  other = fork(fileURLToPath(new URL('./revoked-process.ts', import.meta.url)), [database], {
    execArgv: ['--import', 'tsx'],
  });
  [{ url }] = (await once(other, 'message')) as [{ url: string }];
});
afterAll(async () => {
  other.disconnect();
  await services.close();
});

const post = async ({ headers }: GivenToken, path: string, body: object) => {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const { code, state } = (await response.json()) as { code?: string; state?: string };
  return { status: response.status, code, state };
};
const begin = (token: GivenToken, id: string) =>
  post(token, `/v1/actions/${id}/begin`, { executionId: 'e-1' });
const complete = (token: GivenToken, id: string) =>
  post(token, `/v1/actions/${id}/complete`, { executionId: 'e-1', ok: true });
const ask = (token: GivenToken) => post(token, '/v1/actions', askBody());
const agentToken = () => givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
const revoke = ({ id }: GivenToken) => revokeToken(services, actorOf('admin'), id);
const stateOf = async (id: string) =>
  (await services.db.sql.selectFrom('action').select('state').where('id', '=', id).executeTakeFirstOrThrow())
    .state;
const REFUSED = { status: 401, code: 'unauthenticated' };

test('once a revocation is answered, no request of that token is served by another process that knew it', async () => {
  for (let round = 0; round < 20; round++) {
    const token = await agentToken();
    const known = await givenApprovedAction(services);
    const next = await givenApprovedAction(services);
    expect(await ask(token)).toMatchObject({ status: 202 });
    expect(await begin(token, known.id)).toMatchObject({ status: 200, state: 'executing' });
    await revoke(token);
    const refused = [begin(token, next.id), complete(token, known.id), ask(token)];
    expect(await Promise.all(refused)).toMatchObject([REFUSED, REFUSED, REFUSED]);
    expect([await stateOf(next.id), await stateOf(known.id)]).toEqual(['approved', 'executing']);
  }
});

test('while one that stays is used by many, one that is revoked is served never again', async () => {
  const [stays, goes] = [await agentToken(), await agentToken()];
  let [answered, revokedAt] = [0, Number.POSITIVE_INFINITY];
  const late: number[] = [];
  const useOneByOne = async (token: GivenToken, actions: { id: string }[]) => {
    const seen: number[] = [];
    for (const { id } of actions) {
      const sentAt = performance.now();
      const { status } = await begin(token, id);
      seen.push(status);
      if (token === goes && sentAt > revokedAt) late.push(status);
      if (++answered === 12) {
        await revoke(goes);
        revokedAt = performance.now();
      }
    }
    return seen;
  };
  const given = () => Promise.all(Array.from({ length: 12 }, () => givenApprovedAction(services)));
  const [ofStaying] = await Promise.all([
    useOneByOne(stays, await given()),
    useOneByOne(goes, await given()),
    useOneByOne(goes, await given()),
  ]);
  expect(late.length).toBeGreaterThan(0);
  expect(new Set(late)).toEqual(new Set([401]));
  expect(new Set(ofStaying)).toEqual(new Set([200]));
});

test('a token that is taken away by hand in the database is gone as well', async () => {
  const token = await agentToken();
  const [known, next] = [await givenApprovedAction(services), await givenApprovedAction(services)];
  expect(await begin(token, known.id)).toMatchObject({ status: 200 });
  await sql`DELETE FROM token WHERE id = ${token.id}`.execute(services.db.sql);
  expect(await begin(token, next.id)).toMatchObject(REFUSED);
});

test('a token that a statement refused is counted among those that failed', async () => {
  const app = await createApi(services, { budgets: { failed: 3 } });
  const token = await agentToken();
  const { id } = await givenApprovedAction(services);
  const send = () => call(app, `POST /v1/actions/${id}/begin`, { as: token, body: { executionId: 'e-1' } });
  expect((await send()).status).toBe(200);
  await revoke(token);
  const seen: number[] = [];
  for (let n = 0; n < 7; n++) seen.push((await send()).status);
  expect(seen).toEqual([401, 401, 401, 401, 429, 429, 429]);
  await app.close();
});
