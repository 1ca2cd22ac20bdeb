import { beforeAll, beforeEach, expect, test } from 'vitest';
import { judgeAutonomy } from '../../../src/autonomy/judge.ts';
import { verifies } from '../../requirements.ts';
import { call } from '../../support/api.ts';
import { describeWithServices } from '../../support/services.ts';
import { givenAutonomy, SLICE } from '../approvals/given-autonomy.ts';
import { type BankApi, openBank } from './bank.ts';

const EARN = 'earn: { decided: 20, above: 0.8, matureAfter: 1d }';
const REASON = 'Looked at twenty of them';

describeWithServices('earned autonomy over HTTP', (make) => {
  let bank: BankApi;
  const list = async (who = bank.as.olga, query = '') =>
    (await bank.get(`/v1/autonomy${query}`, who)).json.autonomy;
  const answer = (more: Record<string, unknown> = {}, who = bank.as.olga) =>
    bank.post('/v1/autonomy/answers', who, { ...SLICE, accept: true, reason: REASON, ...more });
  const takeBack = (more: Record<string, unknown> = {}, who = bank.as.oncall) =>
    bank.post('/v1/autonomy/take-back', who, { ...SLICE, reason: 'Something is odd', ...more });
  const state = async () => (await list())[0]?.state;

  beforeAll(async () => {
    bank = await openBank(make, 'desk', EARN);
    expect(await list()).toEqual([]);
  });

  beforeEach(() => givenAutonomy(bank.services, 'proposed'));

  test('what is proposed is listed with its evidence', async () => {
    const { as, get } = bank;
    for (const who of [as.olga, as.ana, as.oncall, as.auditor, as.agent])
      expect(await list(who, '?agent=desk')).toEqual([
        {
          ...SLICE,
          state: 'proposed',
          evidence: expect.objectContaining({ decided: 40, good: 40, bad: 0, lower: '0.832000' }),
          changedAt: expect.stringMatching(/^2\d{3}-.*Z$/),
          changedBy: 'judge',
        },
      ]);
    expect(await list(as.stranger)).toEqual([]);
    expect((await get('/v1/autonomy?agent=desk', as.stranger)).status).toBe(403);
    expect((await get('/v1/autonomy?agent=no%20name')).status).toBe(400);
  });

  test('a release manager alone answers, and accepting needs evidence that still carries it', async () => {
    const { as } = bank;
    for (const who of [as.ana, as.oncall, as.auditor, as.agent, as.stranger])
      expect(await answer({}, who)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
    const early = await answer();
    expect(early).toMatchObject({ status: 409, json: { code: 'gate_not_ready' } });
    expect(early.json.detail).toContain('grant "pay-1" of release 1 for "pay" in segment "default"');
    expect(await state()).toBe('proposed');
    for (const more of [{ reason: ' ' }, { accept: 'yes' }, { grant: '' }, { agent: 'no name' }, { more: 1 }])
      expect((await answer(more)).status).toBe(400);
    expect(await answer({ agentVersion: '9.9.9' })).toMatchObject({ json: { code: 'wrong_state' } });
  });

  test('refused, it goes on asking; then there is nothing to answer or to take back', async () => {
    expect((await answer({ accept: false })).json).toEqual({ state: 'ask' });
    expect((await list())[0]).toMatchObject({ state: 'ask', changedBy: 'olga' });
    expect(await answer()).toMatchObject({ status: 409, json: { code: 'wrong_state' } });
    expect(await takeBack()).toMatchObject({ status: 409, json: { code: 'wrong_state' } });
  });

  verifies(
    'never:write-after-stop',
    'taken back by on-call at once: what it allowed does not begin',
    async () => {
      const { as, ask, post } = bank;
      await givenAutonomy(bank.services, 'allow');
      const args = { amount: 5, to: 'Mia' };
      const allowed = await ask({ args });
      expect(allowed).toMatchObject({ status: 200, json: { earned: true, decidedBy: 'policy' } });
      for (const who of [as.ana, as.auditor, as.agent, as.stranger])
        expect(await takeBack({}, who)).toMatchObject({ status: 403 });
      expect((await takeBack({ reason: '' })).status).toBe(400);
      expect((await takeBack()).json).toEqual({ state: 'ask' });
      const begin = { executionId: 'e' };
      expect(await post(`/v1/actions/${allowed.json.id}/begin`, as.agent, begin)).toMatchObject({
        status: 409,
        json: { code: 'stopped', details: { because: 'autonomy_lost' } },
      });
      expect((await ask({ args })).status).toBe(202);
    },
  );

  test('one shot: begin=true of what earned it runs in one round trip', async () => {
    const { app, as } = bank;
    await givenAutonomy(bank.services, 'allow');
    const body = {
      agentVersion: '1.0.0',
      tool: 'pay',
      args: { amount: 5, to: 'Mia' },
      subject: 's',
      idempotencyKey: 'k',
    };
    const begun = await call(app, 'POST /v1/actions?begin=true', { as: as.agent, body });
    expect(begun).toMatchObject({ status: 200, json: { state: 'executing', earned: true } });
  });

  test('forty right ones, a proposal, a word: it runs unasked, and asks again after a wrong one', async () => {
    const own = await openBank(make, 'desk', 'earn: { decided: 20, above: 0.8, matureAfter: 1ms }');
    const { as, ask, decide, post, services } = own;
    const args = { amount: 5, to: 'Mia' };
    const write = async () => {
      const { id, state: asked } = (await ask({ args })).json;
      if (asked === 'pending') await decide(id, as.ana);
      await post(`/v1/actions/${id}/begin`, as.agent, { executionId: 'e' });
      await post(`/v1/actions/${id}/complete`, as.agent, { executionId: 'e', ok: true });
      return { id, asked };
    };
    for (let n = 0; n < 40; n++) await write();
    services.clock.advance(10);
    expect(await judgeAutonomy(services)).toBe(1);
    const said = await post('/v1/autonomy/answers', as.olga, { ...SLICE, accept: true, reason: REASON });
    expect(said.json).toEqual({ state: 'allow' });
    const unasked = await write();
    expect(unasked.asked).toBe('approved');
    for (let n = 0; n < 6; n++) {
      const wrong = await write();
      if (wrong.asked === 'pending') break;
      await post(`/v1/actions/${wrong.id}/corrections`, as.ana, { reason: 'Wrong customer' });
    }
    const { autonomy } = (await own.get('/v1/autonomy', as.olga)).json;
    expect(autonomy).toMatchObject([{ state: 'ask', changedBy: 'judge' }]);
    expect((await ask({ args })).status).toBe(202);
  });
});
