import { beforeAll, expect, test } from 'vitest';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { AGENT_YAML, agentFrom, givenRelease, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { NONE_YET, settleReviews } from '../../support/start.ts';

describeWithServices('rollouts', (make) => {
  let api: TestApi;
  const start = (as = api.as.olga) =>
    call(api.app, 'POST /v1/rollouts', {
      as,
      body: { agent: 'desk', release: '2', reason: 'ready', noneYet: NONE_YET },
    });
  const verb = (id: string, name: string, as = api.as.olga, more: Record<string, unknown> = {}) =>
    call(api.app, `POST /v1/rollouts/${id}/${name}`, { as, body: { reason: 'because', ...more } });

  beforeAll(async () => {
    api = await givenApi(make);
    await givenRelease(api.services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
  });

  test('a rollout is started once, steered with a reason, and says what it waits for', async () => {
    const { app, as } = api;
    expect(await start(as.cleo)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    const started = await start();
    expect(started).toMatchObject({ status: 201, json: { agent: 'desk', release: '2', status: 'running' } });
    const { id } = started.json;
    expect(started.headers.location).toBe(`/v1/rollouts/${id}`);
    expect(await start()).toMatchObject({ status: 409 });

    const status = (await call(app, `GET /v1/rollouts/${id}`, { as: as.auditor })).json;
    expect(status).toMatchObject({
      id,
      phase: 'baseline',
      step: 1,
      plan: expect.stringMatching(/^day 1 of 90/),
    });
    expect(status.waitsFor.length).toBeGreaterThan(0);
    expect(status.segments.map(({ segment }: { segment: string }) => segment).sort()).toEqual([
      'default',
      'gold',
    ]);
    const { json } = await call(app, `GET /v1/rollouts/${id}/report?html=true`, { as: as.auditor });
    expect(json.report.rollout).toMatchObject({ id, planned: expect.arrayContaining([]) });
    expect(json.html).toContain(`Rollout ${id}`);
    expect((await call(app, `GET /v1/rollouts/${id}/report`, { as: as.ana })).json.html).toBeUndefined();
    const list = (await call(app, 'GET /v1/rollouts?agent=desk', { as: as.ana })).json.rollouts;
    expect(list).toMatchObject([{ id, status: 'running' }]);

    expect((await verb(id, 'pause', as.cleo)).json).toMatchObject({ id, verb: 'pause', changed: true });
    expect((await call(app, `GET /v1/rollouts/${id}`, { as: as.ana })).json.status).toBe('paused');
    expect((await verb(id, 'resume')).json.changed).toBe(true);
    expect(await verb(id, 'resume', as.ana)).toMatchObject({ status: 403 });
    expect(await verb(id, 'nonsense')).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
    expect(await verb(id, 'pause', as.olga, { reason: ' ' })).toMatchObject({ status: 400 });
    expect(await verb(id, 'rollback', as.cleo)).toMatchObject({ status: 200, json: { changed: true } });
    expect((await call(app, `GET /v1/rollouts/${id}`, { as: as.ana })).json.status).toBe('rolled_back');
  });

  test('preflight says what is missing', async () => {
    const yaml = RELEASE_2_YAML.replace('release: 2', 'release: bare').replace(/rollout:.*\n/, '');
    await givenRelease(api.services, agentFrom(AGENT_YAML), yaml);
    await settleReviews(api.services, 'desk');
    const body = { agent: 'desk', release: 'bare', reason: 'ready' };
    const answer = await call(api.app, 'POST /v1/rollouts', { as: api.as.olga, body });
    expect(answer).toMatchObject({ status: 422, json: { code: 'preflight_failed' } });
  });
});
