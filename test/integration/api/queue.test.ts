import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { recordReach } from '../../../src/reaching/record-reach.ts';
import { actionById } from '../../../src/records/action.ts';
import { verifies } from '../../requirements.ts';
import type { GivenToken } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { type BankApi, IBAN, openBank } from './bank.ts';

interface Asked {
  id: string;
  argsDigest: string;
  revision: number;
}

const itemOf = ({ id, argsDigest: digest, revision }: Asked) => ({ id, digest, revision });

describeWithServices('the queue and batches over HTTP', (make) => {
  let bank: BankApi;
  const queueOf = async (who: GivenToken, query = '') => {
    const { json } = await bank.get(`/v1/approvals/queue${query}`, who);
    return json.actions.map(({ id }: Asked) => id);
  };
  const batch = (items: unknown, more: Record<string, unknown> = {}, who = bank.as.ana) =>
    bank.post('/v1/approvals/batch', who, { verdict: 'approve', items, ...more });
  const stateOf = async (id: string) => (await bank.get(`/v1/actions/${id}`)).json.state;

  beforeAll(async () => {
    bank = await openBank(
      make,
      '{ stages: [{ groups: { desk: 2 } }, { group: legal }], breakGlass: emergency }',
    );
  });

  // Whatever an earlier test left waiting is none of the next one's.
  beforeEach(async () => {
    bank.services.clock.advance(3_600_001);
    await sweepActions(bank.services);
  });

  test('it holds what I may answer now, the oldest first, and not what I answered', async () => {
    const { as, ask, decide, edit, services } = bank;
    const first = (await ask()).json;
    services.clock.advance(1_000);
    const second = (await ask({ behind: ['ben'] })).json;
    const mine = await queueOf(as.ana);
    expect(mine).toEqual([first.id, second.id]);
    expect(await queueOf(as.ben)).not.toContain(second.id);
    for (const who of [as.cleo, as.dan, as.eve, as.olga, as.oncall, as.auditor, as.agent])
      expect(await queueOf(who)).not.toContain(first.id);

    await decide(first.id, as.ana);
    expect(await queueOf(as.ana)).not.toContain(first.id);
    expect(await queueOf(as.cleo)).not.toContain(first.id);
    await decide(first.id, as.ben);
    expect(await queueOf(as.cleo)).toContain(first.id);
    expect(await queueOf(as.ben)).not.toContain(first.id);

    await edit(first.id, as.cleo, { amount: 7, to: 'Mia' });
    expect(await queueOf(as.ana)).toContain(first.id);
    await edit(first.id, as.ana, { amount: 8, to: 'Mia' });
    expect(await queueOf(as.ana)).not.toContain(first.id);
    expect(await queueOf(as.ben)).toContain(first.id);
  });

  test('a thousand that wait longer for others hide none of mine', async () => {
    const { as, ask, decide, services } = bank;
    const { id } = (await ask()).json;
    await sql`INSERT INTO action SELECT (jsonb_populate_record(a, jsonb_build_object('id', gen_random_uuid(),
      'idempotency_key', 'copy-' || n))).* FROM action a, generate_series(1, 1100) AS n WHERE a.id = ${id}`.execute(
      services.db.sql,
    );
    services.clock.advance(1_000);
    const mine = (await ask()).json;
    await decide(mine.id, as.ana);
    await decide(mine.id, as.ben);
    expect(await queueOf(as.cleo)).toEqual([mine.id]);
    expect(await queueOf(as.ana)).toHaveLength(500);
    await sql`DELETE FROM action WHERE idempotency_key LIKE 'copy-%'`.execute(services.db.sql);
  });

  test('it is of one agent where that is asked for, and shows no arguments', async () => {
    const { as, ask, get } = bank;
    const { id } = (await ask()).json;
    expect(await queueOf(as.ana, '?agent=desk')).toContain(id);
    expect(await queueOf(as.ana, '?agent=elsewhere')).toEqual([]);
    const { text, json } = await get('/v1/approvals/queue', as.ana);
    expect(text).not.toContain(IBAN);
    expect(json.actions[0].args).toBeUndefined();
    expect((await get('/v1/approvals/queue?agent=no%20name', as.ana)).status).toBe(400);
  });

  verifies(
    'never:decision-twice',
    'a batch answers each by its own id, and one that fails keeps none back',
    async () => {
      const { as, ask, decide } = bank;
      const asked: Asked[] = [];
      for (let n = 0; n < 5; n++) asked.push((await ask({ args: { amount: n + 1, to: 'Mia' } })).json);
      const [good, outdated, mine, denied, again] = asked as [Asked, Asked, Asked, Asked, Asked];
      const forAna = (await ask({ behind: ['ana'] })).json;
      await decide(denied.id, as.ben, { verdict: 'deny' });
      await decide(again.id, as.ana);
      const missing = randomUUID();
      const items = [
        itemOf(forAna),
        { ...itemOf(outdated), digest: 'f'.repeat(64) },
        { ...itemOf(good), id: missing },
        itemOf(denied),
        itemOf(again),
        itemOf(good),
        itemOf(good),
        itemOf(mine),
      ];
      const { status, json } = await batch(items, { reason: 'Looked at each' });
      expect(status).toBe(200);
      expect(json.results).toEqual([
        { id: forAna.id, code: 'not_eligible', message: expect.stringContaining('ana asked for it') },
        { id: outdated.id, code: 'seen_outdated', message: expect.any(String) },
        { id: missing, code: 'not_found', message: expect.any(String) },
        { id: denied.id, code: 'not_pending', message: expect.any(String) },
        { id: again.id, counted: false, state: 'pending' },
        { id: good.id, counted: true, state: 'pending' },
        { id: good.id, counted: false, state: 'pending' },
        { id: mine.id, counted: true, state: 'pending' },
      ]);
      const { decisions } = (await bank.get(`/v1/actions/${good.id}`)).json;
      expect(decisions).toMatchObject([{ person: 'ana', verdict: 'approve', reason: 'Looked at each' }]);
      expect((await bank.get(`/v1/actions/${outdated.id}`)).json.decisions).toEqual([]);
    },
  );

  test('a batch that denies tells the agents why', async () => {
    const { as, ask, get } = bank;
    const asked = [(await ask()).json, (await ask()).json];
    const { json } = await batch(asked.map(itemOf), { verdict: 'deny', reason: 'A test run' }, as.cleo);
    expect(json.results).toMatchObject([{ state: 'denied' }, { state: 'denied' }]);
    for (const { id } of asked)
      expect((await get(`/v1/actions/${id}`, as.agent)).json.denyReason).toBe('A test run');
  });

  test('51 at once, none, or one that says not what was seen: nothing is answered', async () => {
    const one = (await bank.ask()).json;
    const item = itemOf(one);
    const others = Array.from({ length: 50 }, () => ({ ...item, id: randomUUID() }));
    for (const items of [
      [item, ...others],
      [],
      [{ ...item, digest: undefined }],
      [item, { ...item, revision: 0 }],
      [item, { ...item, extra: 1 }],
      [item, 'x'],
      item,
    ])
      expect(await batch(items)).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
    expect(await batch([item], { reason: ' ' })).toMatchObject({ status: 400 });
    expect(await batch([item], { verdict: 'maybe' })).toMatchObject({ status: 400 });
    expect((await batch(others)).json.results).toHaveLength(50);
    expect((await bank.get(`/v1/actions/${one.id}`)).json.decisions).toEqual([]);
    expect(await stateOf(one.id)).toBe('pending');
  });
});

describeWithServices('waiting in view', (make) => {
  test('its place and who was asked how are shown to owner and agent, to no one else, and only while it waits', async () => {
    const { as, ask, decide, get, services } = await openBank(make, '{ group: desk, quorum: 2 }');
    const first = (await ask()).json;
    services.clock.advance(1_000);
    const second = (await ask()).json;
    const at = services.clock.now();
    const told = { ana: ['channel', 'dm'] } as const;
    const row = await actionById(services.db.sql, second.id);
    await recordReach(services, row, { state: 'delivered', told });

    for (const who of [as.agent, as.ana, as.olga]) {
      const { json } = await get(`/v1/actions/${second.id}`, who);
      expect(json.queue).toEqual({ position: 2, ahead: 1 });
      expect(json.asked).toEqual([
        { person: 'ana', groups: ['desk'], because: 'asked', told: ['channel', 'dm'], at: at.toISOString() },
        { person: 'ben', groups: ['desk'], because: 'asked', told: [] },
      ]);
      expect((await get(`/v1/actions/${first.id}`, who)).json.queue).toEqual({ position: 1, ahead: 0 });
    }
    for (const who of [as.auditor, as.oncall]) {
      const { json } = await get(`/v1/actions/${second.id}`, who);
      expect(json.state).toBe('pending');
      expect(json.queue).toBeUndefined();
      expect(json.asked).toBeUndefined();
    }
    const polled = get(`/v1/actions/${second.id}?wait=50ms`, as.agent);
    expect((await polled).json).toMatchObject({ queue: { ahead: 1 }, asked: [{}, {}] });
    expect((await get('/v1/actions', as.agent)).json.actions[0].asked).toBeUndefined();

    await decide(first.id, as.ben, { verdict: 'deny' });
    expect((await get(`/v1/actions/${second.id}`, as.agent)).json.queue.ahead).toBe(0);
    await decide(second.id, as.ben, { verdict: 'deny' });
    const own = (await get(`/v1/actions/${second.id}`, as.agent)).json;
    expect([own.queue, own.asked]).toEqual([undefined, undefined]);
    const people = (await get(`/v1/actions/${second.id}`, as.olga)).json;
    expect(people.queue).toBeUndefined();
    expect(people.asked).toMatchObject([{ person: 'ana', told: ['channel', 'dm'] }, { person: 'ben' }]);
  });

  test('what nobody is asked about any more has no queue', async () => {
    const { as, ask, decide, get } = await openBank(make);
    const args = { amount: 5, to: 'Mia' };
    const first = (await ask({ args })).json;
    await decide(first.id, as.ana, { standing: { envelope: 'args.amount <= 5', maxUses: 2, for: '1h' } });
    const { id, state } = (await ask({ args })).json;
    expect(state).toBe('approved');
    const { json } = await get(`/v1/actions/${id}`, as.ana);
    expect([json.queue, json.asked]).toEqual([undefined, undefined]);
  });
});
