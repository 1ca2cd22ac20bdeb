import { beforeAll, expect, test } from 'vitest';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { previewRelease } from '../../../src/releases/create.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  givenAdopted,
  givenApprovedAction,
  givenBegunAction,
  givenPendingAction,
  givenToken,
  RELEASE_YAML,
  releaseFrom,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

const YAML_TYPE = { 'content-type': 'application/yaml' };

describeWithServices('agents, releases, switches, log, posture', (make) => {
  let api: TestApi;
  const put = (path: string, body: unknown, as = api.as.cleo) => call(api.app, `PUT ${path}`, { as, body });

  beforeAll(async () => {
    api = await givenApi(make);
  });

  test('a manifest is previewed, applied, and applied again without a change', async () => {
    const { app, as } = api;
    const yaml = AGENT_YAML.replace('Book it again under the same number', 'Book it again');
    const apply = (query: string) =>
      call(app, `PUT /v1/agents/desk${query}`, { as: as.olga, headers: YAML_TYPE, body: yaml });
    const preview = await apply('?dryRun=true');
    expect(preview).toMatchObject({
      status: 200,
      json: { dryRun: true, changes: [{ sign: '~', what: 'tool cancel' }] },
    });
    expect((await call(app, 'GET /v1/agents/desk', { as: as.ana })).json.revision).toBe(1);
    expect((await apply('')).json).toMatchObject({ dryRun: false, revision: 2 });
    expect((await apply('')).json).toMatchObject({ revision: 2, changes: [] });
    const view = (await call(app, 'GET /v1/agents/desk', { as: as.ana })).json;
    expect(view.manifest.tools.cancel.undo).toBe('Book it again');
    expect((await put('/v1/agents/desk', view.manifest, as.olga)).json).toMatchObject({
      revision: 2,
      changes: [],
    });
    expect((await put('/v1/agents/desk', view.manifest)).status).toBe(403);
  });

  test('a release is stored once and put in force at once only when it takes away', async () => {
    const { app, as } = api;
    const post = (body: string, query = '') =>
      call(app, `POST /v1/agents/desk/releases${query}`, { as: as.olga, headers: YAML_TYPE, body });
    const less = RELEASE_YAML.replace('release: 1', 'release: less').replace('  - { tool: lookup }\n', '');
    expect((await post(less, '?dryRun=true')).json).toMatchObject({ path: 'apply-at-once', created: false });
    expect((await post(less)).json).toMatchObject({ version: 'less', created: true, path: 'apply-at-once' });
    expect((await post(less)).json).toMatchObject({ created: false });
    expect(await post(less.replace('quorum: 2', 'quorum: 1'))).toMatchObject({
      status: 409,
      json: { code: 'conflict' },
    });
    const more = RELEASE_YAML.replace('release: 1', 'release: more').replace(
      'approval: desk }',
      'approval: none }',
    );
    expect((await post(more)).json).toMatchObject({ path: 'rollout' });
    const adopt = (version: string) =>
      call(app, `POST /v1/agents/desk/releases/${version}/adopt`, {
        as: as.olga,
        body: { reason: 'less is needed' },
      });
    expect(await adopt('more')).toMatchObject({ status: 409, json: { code: 'wrong_state' } });
    expect((await adopt('less')).json).toMatchObject({ segments: ['gold', 'default'] });
    const back = await post(RELEASE_YAML);
    expect(back.json).toMatchObject({ path: 'rollout' });
  });

  test('taking away what asks more is not taking away', async () => {
    const services = await make();
    const grant =
      '  - { tool: refund, name: small, when: "args.amount < 10", approval: { group: desk, reason: required } }\n';
    await givenAdopted(services, { releaseYaml: RELEASE_YAML + grant });
    const path = async (yaml: string) => (await previewRelease(services.db.sql, releaseFrom(yaml))).path;
    const next = (RELEASE_YAML + grant).replace('release: 1', 'release: 2');
    expect(await path(next.replace(grant, ''))).toBe('rollout');
    expect(await path(next.replace(/ {2}- \{ tool: refund, approval: \{.*\n/, ''))).toBe('rollout');
    expect(await path(next.replace(/ {2}- \{ tool: refund.*\n/g, ''))).toBe('apply-at-once');
  });

  test('disable closes, voids what waited, names what had begun; enable opens', async () => {
    const { services, app, as } = api;
    const pending = await givenPendingAction(services);
    const approved = await givenApprovedAction(services);
    const begun = await givenBegunAction(services);
    const closed = await put('/v1/switches/tool/desk/cancel', { disabled: true, reason: 'wrong rooms' });
    expect(closed).toMatchObject({
      status: 200,
      json: { scope: 'tool/desk/cancel', state: 'closed', voided: 2, inFlight: [{ action: begun.id }] },
    });
    expect(closed.json.credentialsUntil).toMatch(/Z$/);
    for (const { id } of [pending, approved]) {
      expect((await call(app, `GET /v1/actions/${id}`, { as: as.ana })).json.state).toBe('disabled');
      const begin = await call(app, `POST /v1/actions/${id}/begin`, {
        as: as.agent,
        body: { executionId: 'e' },
      });
      expect(begin.status).toBe(409);
    }
    const off = (await call(app, 'GET /v1/switches', { as: as.auditor })).json.switches;
    expect(off).toMatchObject([{ scope: 'tool/desk/cancel', reason: 'wrong rooms', actor: 'cleo' }]);
    expect(
      await put('/v1/switches/tool/desk/cancel', { disabled: false, reason: 'ok' }, as.agent),
    ).toMatchObject({
      status: 403,
    });
    const open = await put('/v1/switches/tool/desk/cancel', { disabled: false, reason: 'mended' });
    expect(open.json).toMatchObject({ status: 'enabled', scope: 'tool/desk/cancel' });
    const late = { executionId: 'e-1', ok: true };
    expect(
      (await call(app, `POST /v1/actions/${begun.id}/complete`, { as: as.agent, body: late })).json.state,
    ).toBe('executed');
  });

  test('disable with wait answers when all that had begun is over', async () => {
    const { services, app, as } = api;
    const { id } = await givenBegunAction(services);
    const waiting = put('/v1/switches/agent/desk', { disabled: true, reason: 'stop', wait: 'drained' });
    setTimeout(
      () =>
        call(app, `POST /v1/actions/${id}/complete`, {
          as: as.agent,
          body: { executionId: 'e-1', ok: true },
        }),
      100,
    );
    expect((await waiting).json).toMatchObject({ state: 'closed', drained: true, stillInFlight: [] });
    await put('/v1/switches/agent/desk', { disabled: false, reason: 'go' });
  });

  test('everything is enabled by two different people', async () => {
    const { services, as } = api;
    const dora = await givenToken(services, 'on-call', { person: 'dora' });
    await put('/v1/switches/everything', { disabled: true, reason: 'stop' });
    const enable = (token = as.cleo) =>
      put('/v1/switches/everything', { disabled: false, reason: 'go' }, token);
    expect(await enable()).toMatchObject({ status: 202, json: { status: 'second_person_needed' } });
    expect(await enable()).toMatchObject({ status: 202 });
    expect(await enable(dora)).toMatchObject({ status: 200, json: { status: 'enabled' } });
    expect(await enable()).toMatchObject({ status: 200, json: { status: 'already_enabled' } });
  });

  test('the log is read, verified and signed', async () => {
    const { services, app, as } = api;
    const get = (path: string, token = as.auditor) => call(app, `GET /v1/log${path}`, { as: token });
    expect((await get('/verify')).json.tail).toBeGreaterThan(0);
    await sequenceLog(services.db.sql);
    const verified = (await get('/verify')).json;
    expect(verified).toMatchObject({ verified: true, tail: 0 });
    const checkpoint = (await get('/checkpoint')).json;
    expect(checkpoint).toMatchObject({ seq: verified.entries, hash: verified.head });
    const { entries } = (await get('?kind=switch.disabled&limit=2')).json;
    expect(entries).toHaveLength(2);
    expect(JSON.parse(entries[0].body)).toMatchObject({ kind: 'switch.disabled', actor: 'cleo' });
    expect((await get(`/entries/${entries[0].seq}`)).json).toEqual(entries[0]);
    expect((await get(`?after=${entries[0].seq}&limit=1`)).json.entries[0].seq).toBe(entries[0].seq + 1);
    expect((await get('', as.agent)).status).toBe(403);
    const ofOther = await givenToken(services, 'auditor', { agent: 'other' });
    expect((await get('', ofOther)).json.entries).toEqual([]);
    expect((await get(`/entries/${entries[0].seq}`, ofOther)).status).toBe(404);
  });

  test('posture counts what is recorded', async () => {
    const { json } = await call(api.app, 'GET /v1/posture?agent=desk', { as: api.as.auditor });
    const [desk] = json.agents;
    expect(desk).toMatchObject({
      agent: 'desk',
      toolsClassified: { part: 3, of: 3, share: 1 },
      advisory: [],
    });
    const gold = desk.segments.find(({ segment }: { segment: string }) => segment === 'gold');
    expect(gold).toMatchObject({
      writesConfirmed: { share: 1 },
      perActionCredential: { share: 1 },
      unpaired: 0,
    });
    expect(gold.replayable.share).toBe(1);
  });

  test('an execution that stays silent is unpaired', async () => {
    const { services, app, as } = api;
    await givenBegunAction(services);
    services.clock.advance(3 * 60_000);
    const { json } = await call(app, 'GET /v1/posture', { as: as.auditor });
    expect(json.agents[0].segments[0].unpaired).toBe(1);
  });

  test('outcomes are recorded once, for actions of that agent', async () => {
    const { services, app, as } = api;
    const { id } = await givenPendingAction(services);
    const post = (outcome: Record<string, unknown>) =>
      call(app, 'POST /v1/outcomes', {
        as: as.agent,
        body: { outcomes: [{ id: 'o-1', action: id, metric: 'wrong', value: 1, ...outcome }] },
      });
    expect((await post({})).json).toEqual({ recorded: 1, repeated: 0 });
    expect((await post({})).json).toEqual({ recorded: 0, repeated: 1 });
    expect(await post({ value: 0 })).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect(await post({ id: 'o-2', metric: 'none' })).toMatchObject({ status: 400 });
  });
});
