import { beforeAll, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createApi } from '../../../src/api/server.ts';
import { askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenAdopted,
  givenAgent,
  givenPendingAction,
  givenToken,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

describeWithServices('who may', (make) => {
  let api: TestApi;
  const decide = (id: string, as = api.as.ana, more: Record<string, unknown> = {}) =>
    call(api.app, `POST /v1/actions/${id}/decisions`, { as, body: { verdict: 'deny', ...more } });

  beforeAll(async () => {
    api = await givenApi(make);
    await givenAgent(api.services, AGENT_YAML.replace('agent: desk', 'agent: other'));
  });

  test('no token, a wrong one, one that is over or revoked: one answer', async () => {
    const { services, app, as } = api;
    const over = await givenToken(services, 'auditor', { expiresAt: services.clock.now() });
    const revoked = await givenToken(services, 'auditor');
    await call(app, `DELETE /v1/tokens/${revoked.id}`, { as: as.admin });
    for (const headers of [
      {},
      { authorization: 'Bearer pct_wrong' },
      { authorization: 'Basic abc' },
      over.headers,
      revoked.headers,
    ]) {
      const answer = await call(app, 'GET /v1/actions', { headers });
      expect(answer).toMatchObject({ status: 401, json: { code: 'unauthenticated' } });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(answer.json.detail).toBe('The bearer token is missing, unknown, expired or revoked');
    }
  });

  test('an agent acts for itself alone', async () => {
    const { services, app, as } = api;
    const { id } = await givenPendingAction(services);
    const other = await givenToken(services, 'agent', { agent: 'other' });
    const forbidden = { status: 403, json: { code: 'forbidden' } };
    expect(
      await call(app, 'POST /v1/actions', { as: other, body: askBody({ agent: 'desk' }) }),
    ).toMatchObject(forbidden);
    expect(await call(app, `GET /v1/actions/${id}`, { as: other })).toMatchObject({ status: 404 });
    expect(await call(app, 'GET /v1/actions?agent=desk', { as: other })).toMatchObject(forbidden);
    expect((await call(app, 'GET /v1/actions', { as: other })).json.actions).toEqual([]);
    expect((await call(app, 'GET /v1/agents', { as: other })).json.agents).toEqual([
      { agent: 'other', revision: 1 },
    ]);
    for (const [verb, body] of [
      ['begin', { executionId: 'e' }],
      ['complete', { executionId: 'e', ok: true }],
      ['withdraw', {}],
    ] as const) {
      expect(await call(app, `POST /v1/actions/${id}/${verb}`, { as: other, body })).toMatchObject({
        status: 404,
      });
      expect(await call(app, `POST /v1/actions/${id}/${verb}`, { as: as.ana, body })).toMatchObject(
        forbidden,
      );
    }
  });

  test('a decision needs the role, the standing and a first time', async () => {
    const { services, as } = api;
    const { id } = await givenPendingAction(services);
    expect(await decide(id, as.agent)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    expect(await decide(id, as.cleo)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    expect(await decide(id, as.olga)).toMatchObject({
      status: 403,
      json: { code: 'not_eligible', details: { because: 'stands_behind' } },
    });
    const stranger = await givenToken(services, 'approver', { person: 'mallory' });
    expect(await decide(id, stranger)).toMatchObject({ json: { code: 'not_eligible' } });
    expect((await decide(id)).json).toMatchObject({ state: 'denied', counted: true });
    expect((await decide(id)).json).toMatchObject({ state: 'denied', counted: false });
    expect(await decide(id, as.ana, { verdict: 'approve', digest: 'x' })).toMatchObject({
      status: 409,
      json: { code: 'already_decided' },
    });
    expect(await decide(id, as.ben)).toMatchObject({ status: 409, json: { code: 'not_pending' } });
  });

  test('nobody approves what is asked for them', async () => {
    const { id, args_digest } = await givenPendingAction(api.services, { behind: ['ana'] });
    const own = await decide(id, api.as.ana, { verdict: 'approve', digest: args_digest });
    expect(own).toMatchObject({
      status: 403,
      json: { code: 'not_eligible', details: { because: 'requester' } },
    });
  });

  test('an owner approves in test mode alone', async () => {
    const services = await make();
    const yaml = AGENT_YAML.replace('[ana, ben]', '[olga, ana, ben]');
    await givenAdopted(services, { agentYaml: yaml });
    const app = await createApi(services);
    const olga = await givenToken(services, 'approver', { person: 'olga' });
    const { id } = await givenPendingAction(services);
    const post = () => call(app, `POST /v1/actions/${id}/decisions`, { as: olga, body: { verdict: 'deny' } });
    expect(await post()).toMatchObject({ status: 403, json: { details: { because: 'stands_behind' } } });
    await applyAgent(services, managerActor(), agentFrom(`${yaml}testMode: true\n`));
    expect(await post()).toMatchObject({ status: 200, json: { state: 'denied', testMode: true } });
    await app.close();
  });

  test('a decision on something else than what was seen does not count', async () => {
    const { id, args_digest, revision } = await givenPendingAction(api.services);
    const approve = (more: Record<string, unknown>) =>
      decide(id, api.as.ana, { verdict: 'approve', ...more });
    expect(await approve({})).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
    expect(await approve({ digest: 'f'.repeat(64) })).toMatchObject({
      status: 409,
      json: { code: 'seen_outdated' },
    });
    expect(await approve({ digest: args_digest, revision: revision + 1 })).toMatchObject({
      json: { code: 'seen_outdated' },
    });
    expect((await call(api.app, `GET /v1/actions/${id}`, { as: api.as.ana })).json.decisions).toEqual([]);
  });

  test('a decision that comes too late does not count', async () => {
    const { services } = api;
    const { id, args_digest } = await givenPendingAction(services);
    services.clock.advance(3_600_001);
    const late = await decide(id, api.as.ana, { verdict: 'approve', digest: args_digest });
    expect(late).toMatchObject({ status: 409, json: { code: 'not_pending', details: { state: 'expired' } } });
  });

  test('a denier gives a reason afterwards, another person does not', async () => {
    const { services, app, as } = api;
    const { id } = await givenPendingAction(services);
    const explain = (token = as.ana) =>
      call(app, `POST /v1/actions/${id}/deny-reason`, { as: token, body: { reason: 'Wrong guest' } });
    expect(await explain()).toMatchObject({ status: 409, json: { code: 'wrong_state' } });
    await decide(id);
    expect(await explain(as.ben)).toMatchObject({ status: 403, json: { code: 'not_eligible' } });
    expect((await explain()).json).toMatchObject({ denyReason: 'Wrong guest' });
  });

  test('admins manage tokens and see nothing else', async () => {
    const { app, as } = api;
    const made = await call(app, 'POST /v1/tokens', {
      as: as.admin,
      body: { roles: ['approver'], person: 'ben' },
    });
    expect(made).toMatchObject({ status: 201, json: { token: expect.stringMatching(/^pct_/) } });
    const list = await call(app, 'GET /v1/tokens', { as: as.admin });
    expect(list.json.tokens.map(({ id }: { id: string }) => id)).toContain(made.json.id);
    expect(list.text).not.toContain(made.json.token);
    const forbidden = { status: 403, json: { code: 'forbidden' } };
    for (const path of ['/v1/actions', '/v1/agents', '/v1/log', '/v1/posture', '/v1/switches']) {
      expect(await call(app, `GET ${path}`, { as: as.admin })).toMatchObject(forbidden);
    }
    expect(await call(app, 'POST /v1/tokens', { as: as.olga, body: { roles: ['auditor'] } })).toMatchObject(
      forbidden,
    );
    const incomplete = [{ roles: ['approver'] }, { roles: ['agent'] }, { roles: [] }, { roles: ['king'] }];
    for (const body of incomplete) {
      expect((await call(app, 'POST /v1/tokens', { as: as.admin, body })).status).toBe(400);
    }
  });

  test("one token's requests a minute are limited, another's are not", async () => {
    const app = await createApi(api.services, { budgets: { token: 3 } });
    const get = (as = api.as.ana) => call(app, 'GET /v1/switches', { as });
    for (let count = 0; count < 3; count++) expect((await get()).status).toBe(200);
    expect(await get()).toMatchObject({ status: 429, json: { code: 'rate_limited', retry: true } });
    expect((await get(api.as.ben)).status).toBe(200);
    await app.close();
  });
});
