import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { verifies } from '../../requirements.ts';
import { call } from '../../support/api.ts';
import type { GivenToken } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { type BankApi, openBank } from './bank.ts';

const ARGS = { amount: 5, to: 'Mia' };
const LIKE = { envelope: 'args.amount <= 5 && args.to == "Mia"', maxUses: 2, for: '1h' };

describeWithServices('standing approvals over HTTP', (make) => {
  let bank: BankApi;
  const ask = (more: Record<string, unknown> = {}) => bank.ask({ args: { ...ARGS, ...more } });
  const list = async (who: GivenToken = bank.as.ana, query = '?live=true') =>
    (await bank.get(`/v1/standing-approvals${query}`, who)).json.standingApprovals;
  const revoke = (id: string, who: GivenToken, body: unknown = { reason: 'enough' }) =>
    call(bank.app, `POST /v1/standing-approvals/${id}/revoke`, { as: who, body });
  /** Approves one and the like of it. */
  const given = async (standing: Record<string, unknown> = LIKE) => {
    const { id } = (await ask()).json;
    await bank.decide(id, bank.as.ana, { standing });
    return { id, standing: (await list())[0]?.id as string };
  };

  beforeAll(async () => {
    bank = await openBank(make);
  });

  // What an earlier test let through for a while is over.
  beforeEach(() => bank.services.clock.advance(25 * 3_600_000));

  test('given with a decision, listed with its bounds, used by asks within it, and spent', async () => {
    const { as, services } = bank;
    const { id, standing } = await given();
    const now = services.clock.now();
    expect(await list(as.ana, '?live=true&agent=desk&limit=1')).toEqual([
      {
        id: standing,
        agent: 'desk',
        tool: 'pay',
        grant: 'pay-1',
        release: '1',
        segment: 'default',
        arm: 'control',
        action: id,
        envelope: LIKE.envelope,
        maxUses: 2,
        used: 0,
        startsAt: now.toISOString(),
        expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
        createdBy: 'ana',
      },
    ]);
    expect(await ask({ amount: 6 })).toMatchObject({ status: 202, json: { state: 'pending' } });
    const within = await ask({ amount: 1 });
    expect(within).toMatchObject({
      status: 200,
      json: { state: 'approved', decidedBy: 'person', standingApproval: standing },
    });
    expect(within.json.reasons).toMatchObject([{ code: 'standing_approval' }]);
    expect((await ask()).status).toBe(200);
    expect((await ask()).status).toBe(202);
    expect((await list(as.ana, '')).find((one: { id: string }) => one.id === standing)).toMatchObject({
      used: 2,
      endedBecause: 'spent',
    });
  });

  verifies(
    'never:write-after-stop',
    'taken back with a reason: nothing more goes by it, nor begins',
    async () => {
      const { as, post } = bank;
      const { standing } = await given();
      const before = (await ask()).json;
      for (const body of [{}, { reason: ' ' }, 'nothing'])
        expect((await revoke(standing, as.ben, body)).status).toBe(400);
      expect(
        (await call(bank.app, `POST /v1/standing-approvals/${standing}/revoke`, { as: as.ben })).status,
      ).toBe(400);
      for (const who of [as.agent, as.auditor])
        expect(await revoke(standing, who)).toMatchObject({ status: 403, json: { code: 'forbidden' } });
      expect(await revoke(standing, as.stranger)).toMatchObject({ status: 404, json: { code: 'not_found' } });
      expect((await revoke(standing, as.ben)).json).toMatchObject({
        endedBecause: 'revoked',
        endedBy: 'ben',
        used: 1,
      });
      expect((await revoke(standing, as.oncall)).json).toMatchObject({ endedBy: 'ben' });
      const begun = await post(`/v1/actions/${before.id}/begin`, as.agent, { executionId: 'e' });
      expect(begun).toMatchObject({
        status: 409,
        json: { code: 'stopped', details: { state: 'superseded', because: 'standing_approval_ended' } },
      });
      expect((await ask()).status).toBe(202);
      expect((await list()).map(({ id }: { id: string }) => id)).not.toContain(standing);
      expect((await revoke(randomUUID(), as.ben)).status).toBe(404);
      expect((await revoke('nonsense', as.ben)).status).toBe(400);
    },
  );

  test('agents see their own and no others', async () => {
    const { as, get } = bank;
    const { standing } = await given();
    expect((await list(as.agent)).map(({ id }: { id: string }) => id)).toContain(standing);
    expect(await list(as.stranger, '')).toEqual([]);
    expect((await get('/v1/standing-approvals?agent=desk', as.stranger)).status).toBe(403);
    for (const query of ['?limit=0', '?limit=501', '?live=yes', '?agent=no%20name'])
      expect((await get(`/v1/standing-approvals${query}`, as.ana)).status).toBe(400);
    await revoke(standing, as.ana);
  });

  test('bounds and envelopes that hold nothing back are refused, and the action goes on waiting', async () => {
    const { as, decide, get } = bank;
    const { id } = (await ask()).json;
    for (const [more, words] of [
      [{ maxUses: 0 }, 'maxUses'],
      [{ maxUses: 101 }, 'maxUses'],
      [{ maxUses: 1.5 }, 'maxUses'],
      [{ maxUses: '2' }, 'maxUses'],
      [{ for: '59s' }, 'a minute to 24 hours'],
      [{ for: '25h' }, 'a minute to 24 hours'],
      [{ for: 'soon' }, 'for'],
      [{ envelope: '' }, 'envelope'],
      [{ envelope: '   ' }, 'the envelope is empty'],
      [{ envelope: 'true' }, 'always true'],
      [{ envelope: 'args.iban == "x"' }, 'redacted'],
      [{ envelope: 'args.amount > 5' }, 'not true of this action'],
      [{ envelope: undefined }, 'envelope'],
      [{ forever: true }, 'forever'],
    ] as const) {
      const refused = await decide(id, as.ana, { standing: { ...LIKE, ...more } });
      expect(refused, JSON.stringify(more)).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
      expect(refused.text).toContain(words);
    }
    expect((await get(`/v1/actions/${id}`)).json).toMatchObject({ state: 'pending', decisions: [] });
    const wire = (await bank.ask({ tool: 'wire', args: { amount: 5 } })).json;
    expect(
      await decide(wire.id, as.ana, { standing: { ...LIKE, envelope: 'args.amount <= 5' } }),
    ).toMatchObject({ status: 403, json: { details: { because: 'standing_forbidden' } } });
  });

  test('with a quorum, whoever comes second sees what they would approve along with it', async () => {
    const { as, ask: question, decide, get, services } = await openBank(make, '{ group: desk, quorum: 2 }');
    const { id } = (await question({ args: ARGS })).json;
    await decide(id, as.ana, { standing: LIKE });
    const { standingWish } = (await get(`/v1/actions/${id}`, as.ben)).json;
    expect(standingWish).toEqual({ envelope: LIKE.envelope, maxUses: 2, forMs: 3_600_000, by: 'ana' });
    expect((await get('/v1/standing-approvals')).json.standingApprovals).toEqual([]);
    await decide(id, as.ben);
    expect((await get('/v1/standing-approvals')).json.standingApprovals).toMatchObject([
      { createdBy: 'ana' },
    ]);
    expect((await get(`/v1/actions/${id}`, as.ben)).json.standingWish).toBeUndefined();
    expect(services.dayMs).toBe(86_400_000);
  });

  test('a day in it is as long as a day of the service', async () => {
    const scaled = await openBank((options) => make({ ...options, dayMs: 120_000 }));
    const { id } = (await scaled.ask({ args: ARGS })).json;
    const given = await scaled.decide(id, scaled.as.ana, { standing: { ...LIKE, for: '1d' } });
    expect(given.status).toBe(200);
    const [one] = (await scaled.get('/v1/standing-approvals')).json.standingApprovals;
    expect(new Date(one.expiresAt).getTime()).toBe(scaled.services.clock.now().getTime() + 120_000);
  });
});
