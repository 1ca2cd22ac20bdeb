import { beforeAll, expect, test } from 'vitest';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { listRollouts } from '../../../src/rollouts/list.ts';
import { enterStep } from '../../../src/rollouts/moves.ts';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { type Answer, call, givenApi, type TestApi } from '../../support/api.ts';
import { AGENT_YAML, agentFrom, givenRelease, managerActor, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { describeWithServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

const ORIGIN = { origin: 'http://portcullis.test' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describeWithServices('the page of a rollout', (make) => {
  let api: TestApi;
  let ana: { cookie: string };

  const signIn = async (token: string) =>
    call(api.app, 'POST /login', {
      headers: { ...FORM, ...ORIGIN },
      body: new URLSearchParams({ token, next: '/' }).toString(),
    });
  const cookieOf = (answer: Answer) => ({ cookie: String(answer.headers['set-cookie']).split(';')[0] ?? '' });
  const get = (path: string, headers: Record<string, string> = ana) =>
    call(api.app, `GET ${path}`, { headers });
  const field = (text: string, name: string) =>
    new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1] ?? '';

  beforeAll(async () => {
    api = await givenApi(make);
    ana = cookieOf(await signIn(api.as.ana.token));
  });

  test('is its own, linked from the overview; whoever may not know of it finds none', async () => {
    await givenRelease(api.services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
    const { id } = await startRollout(api.services, managerActor(), {
      agent: 'desk',
      release: '2',
      reason: '<i>ready</i>',
    });
    expect((await get('/')).text).toContain(`href="/rollouts/${id}"`);
    const { status, text } = await get(`/rollouts/${id}`);
    expect(status).toBe(200);
    expect(text).toContain(`Rollout ${id}`);
    expect(text).toContain('&lt;i&gt;ready&lt;/i&gt;');
    expect(text).toContain('Nothing is counted yet.');
    expect((await get('/rollouts/none')).status).toBe(404);
    expect((await get(`/rollouts/${id}`, {})).status).toBe(303);
    // Ana may not steer it: she is shown nothing to press.
    expect(text).not.toContain('<form class="panel"');

    const olga = cookieOf(await signIn(api.as.olga.token));
    const page = (await get(`/rollouts/${id}`, olga)).text;
    for (const verb of ['pause', 'advance', 'rollback'])
      expect(page).toContain(`action="/rollouts/${id}/${verb}"`);
    for (const verb of ['resume', 'approve-gate', 'reenter'])
      expect(page).not.toContain(`action="/rollouts/${id}/${verb}"`);
    const steer = (verb: string, values: Record<string, string>, headers = {}) =>
      call(api.app, `POST /rollouts/${id}/${verb}`, {
        headers: { ...FORM, ...ORIGIN, ...olga, ...headers },
        body: new URLSearchParams({ form: field(page, 'form'), ...values }).toString(),
      });
    const paused = await steer('pause', { reason: 'holiday' });
    expect(paused).toMatchObject({ status: 303, headers: { location: `/rollouts/${id}?done=pause` } });
    const after = (await get(`/rollouts/${id}?done=pause`, olga)).text;
    expect(after).toContain('Recorded: Pause');
    expect(after).toContain(`action="/rollouts/${id}/resume"`);
    expect((await steer('pause', { reason: 'holiday' })).headers.location).toContain('done=nothing');
    // Only words of ours are shown back, and nothing goes through without a reason or the form's own token.
    expect((await get(`/rollouts/${id}?done=Everything+is+fine`, olga)).text).not.toContain(
      'Everything is fine',
    );
    expect((await steer('rollback', { reason: ' ' })).status).toBe(400);
    expect((await steer('rollback', { reason: 'x', form: 'other' })).status).toBe(403);
    expect((await steer('rollback', { reason: 'x' }, { origin: 'http://elsewhere.test' })).status).toBe(403);
    expect((await steer('delete', { reason: 'x' })).status).toBe(404);
    expect((await get(`/rollouts/${id}`, olga)).text).toContain(
      'paused by olga 0 s ago: holiday (rollout resume)',
    );
  });

  test('of one that completed offers to roll it back as long as its release is in force', async () => {
    const { sql } = api.services.db;
    const { id } = await sql.selectFrom('rollout').select('id').executeTakeFirstOrThrow();
    const at = api.services.clock.now();
    const over = { status: 'completed', ended_at: at, watch_until: at, watch_ended_at: at } as const;
    await sql.updateTable('rollout').set(over).execute();
    const olga = cookieOf(await signIn(api.as.olga.token));
    const verbs = async () =>
      [...(await get(`/rollouts/${id}`, olga)).text.matchAll(/action="\/rollouts\/[^/]+\/([a-z-]+)"/g)].map(
        ([, verb]) => verb,
      );
    expect(await verbs()).toEqual([]);
    await sql.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'gold').execute();
    expect(await verbs()).toEqual(['rollback']);
  });

  test('offers a segment that was taken back the earlier steps in which it was exposed, and no others', async () => {
    const { services } = api;
    for (const { id } of await listRollouts(services.db.sql, 'desk'))
      await runRolloutVerb(services, managerActor(), { id, verb: 'rollback', reason: 'over' });
    const plan = `constrained: [{ days: 10, exposure: { gold: 10 } }, { days: 10, exposure: { gold: 50 } }],
    scale: [{ days: 10, exposure: { gold: 80, '*': 40 } }, { days: 10, exposure: { '*': 100 } }],`;
    const yaml = RELEASE_2_YAML.replace('release: 2', 'release: 3').replace(
      'rollout: {',
      `rollout: { ${plan}`,
    );
    await givenRelease(services, agentFrom(AGENT_YAML), yaml);
    const asked = { agent: 'desk', release: '3', reason: 'go' };
    await givenReviewed(services);
    const { id } = await startRollout(services, managerActor(), asked);
    const enter = async (step: number) =>
      enterStep(services, { id, ...(await rolloutFacts(services, id)) }, step);
    const olga = cookieOf(await signIn(api.as.olga.token));
    const page = async () => (await get(`/rollouts/${id}`, olga)).text;
    const offered = async () =>
      [...(await page()).matchAll(/<option value="(\d+)">([^<]*)<\/option>/g)].map(([, step, words]) => [
        step,
        words,
      ]);
    expect(await enter(1)).toBe(true);
    await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
    // Its first step is the present one: there is no earlier one.
    expect(await page()).toContain(`action="/rollouts/${id}/reenter"`);
    expect(await page()).not.toContain('name="fromStep"');
    const again = { id, verb: 'reenter', segment: 'gold', reason: 'mended' } as const;
    await runRolloutVerb(services, managerActor(), again);
    expect(await page()).not.toContain('name="fromStep"');
    expect(await enter(2)).toBe(true);
    expect(await enter(3)).toBe(true);
    await rollBack(services, id, [{ segment: 'gold' }, { segment: 'default' }], {
      actor: 'cleo',
      because: 'guests complain',
    });
    expect(await offered()).toEqual([
      ['2', 'gold: step 2, constrained, 10 % of gold'],
      ['3', 'gold: step 3, constrained, 50 % of gold'],
    ]);
    const status = await call(api.app, `GET /v1/rollouts/${id}`, { headers: api.as.olga.headers });
    expect(status.json.segments).toMatchObject([
      { segment: 'default', reenterFrom: [] },
      { segment: 'gold', reenterFrom: [2, 3] },
    ]);
    const reenter = async (segment: string, fromStep: string) =>
      call(api.app, `POST /rollouts/${id}/reenter`, {
        headers: { ...FORM, ...ORIGIN, ...olga },
        body: new URLSearchParams({
          form: field(await page(), 'form'),
          reason: 'mended',
          segment,
          fromStep,
        }).toString(),
      });
    expect((await reenter('default', '2')).status).toBe(400);
    expect((await reenter('gold', '3')).status).toBe(303);
    expect((await reenter('default', '')).status).toBe(303);
    expect((await rolloutFacts(services, id)).stepIndex).toBe(2);
    expect(await page()).not.toContain('name="fromStep"');
  });
});
