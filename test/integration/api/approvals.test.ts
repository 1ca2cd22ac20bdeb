import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { verifies } from '../../requirements.ts';
import { askBody, call } from '../../support/api.ts';
import { describeWithServices } from '../../support/services.ts';
import { type BankApi, IBAN, openBank, PAY } from './bank.ts';

const OTHER = { amount: 4, to: 'Mia', iban: '[redacted]' };

describeWithServices('editing over HTTP', (make) => {
  let bank: BankApi;
  const begin = (id: string, more: Record<string, unknown> = {}) =>
    bank.post(`/v1/actions/${id}/begin`, bank.as.agent, { executionId: 'e-1', ...more });

  beforeAll(async () => {
    bank = await openBank(make);
  });

  test('the count begins anew, redacted values stay, and the agent begins only by the round it is told', async () => {
    const { as, edit, decide } = bank;
    const { id, argsDigest } = (await bank.ask()).json;
    const edited = await edit(id, as.ana, OTHER, { reason: 'One too many' });
    expect(edited).toMatchObject({
      status: 200,
      json: {
        state: 'pending',
        summary: 'Pay 4 to Mia',
        args: OTHER,
        revision: 2,
        approval: { round: 1, stage: 0 },
        edits: [{ person: 'ana', via: 'api', round: 1, reason: 'One too many', digestBefore: argsDigest }],
      },
    });
    expect(await decide(id, as.ana)).toMatchObject({
      status: 403,
      json: { details: { because: 'edited_it' } },
    });
    expect(await decide(id, as.ben, { digest: argsDigest })).toMatchObject({
      json: { code: 'seen_outdated' },
    });
    expect(await decide(id, as.ben, { revision: 1 })).toMatchObject({ json: { code: 'seen_outdated' } });
    expect((await decide(id, as.ben)).json).toMatchObject({ state: 'approved', counted: true });

    for (const more of [{}, { round: 0 }, { round: 2 }]) {
      const refused = await begin(id, more);
      expect(refused).toMatchObject({ status: 409, json: { code: 'args_changed', details: { round: 1 } } });
      expect(refused.text).not.toContain(IBAN);
    }
    const begun = await begin(id, { round: 1 });
    expect(begun.json).toMatchObject({ state: 'executing', args: { ...OTHER, iban: IBAN } });
    expect(begun.json.credential.token).toBeTruthy();
    const shown = await bank.get(`/v1/actions/${id}`, as.agent);
    expect(shown.json.args).toEqual(OTHER);
    expect(shown.text).not.toContain(IBAN);
  });

  test('asking again with begin=true does not begin what people changed: its round does', async () => {
    const { app, as } = bank;
    const body = askBody({ tool: 'pay', args: PAY, idempotencyKey: randomUUID() });
    const again = () => call(app, 'POST /v1/actions?begin=true', { as: as.agent, body });
    const { id } = (await again()).json;
    await bank.edit(id, as.ana, OTHER);
    await bank.decide(id, as.ben);
    const asked = await again();
    expect(asked).toMatchObject({ status: 200, json: { id, state: 'approved', approval: { round: 1 } } });
    expect(asked.json.startBy).toBeUndefined();
    expect((await begin(id, { round: 1 })).json.args).toMatchObject({ amount: 4 });
  });

  test('arguments that are not exact, do not fit or change nothing are refused without repeating them', async () => {
    const { app, as, edit, get } = bank;
    const { id, argsDigest: digest, revision } = (await bank.ask()).json;
    const text = `{"args": {"amount": 1, "amount": 2, "to": "Mia"}, "digest": "${digest}", "revision": ${revision}}`;
    const twice = await call(app, `POST /v1/actions/${id}/edits`, {
      as: as.ana,
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    expect(twice).toMatchObject({ status: 400, json: { code: 'args_not_exact' } });
    for (const [args, words] of [
      [{ amount: 'hunter2', to: 'Mia' }, 'do not fit'],
      [{ amount: 5, to: 'Mia', iban: '[redacted]' }, 'nothing is different'],
      [{ amount: 5, to: 'hunter2 [redacted]' }, 'marker'],
      ['hunter2', 'body.args'],
      [undefined, 'body.args'],
    ] as const) {
      const refused = await edit(id, as.ana, args);
      expect(refused).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
      expect(refused.text).toContain(words);
      expect(refused.text).not.toContain('hunter2');
    }
    for (const gone of ['digest', 'revision'])
      expect((await edit(id, as.ana, OTHER, { [gone]: undefined })).status).toBe(400);
    expect(await edit(id, as.ana, OTHER, { digest: 'f'.repeat(64) })).toMatchObject({ status: 409 });
    expect((await get(`/v1/actions/${id}`)).json).toMatchObject({ edits: [], revision, argsDigest: digest });
  });

  test('what is decided or over is not edited', async () => {
    const { services, as } = bank;
    const { id } = (await bank.ask()).json;
    await bank.decide(id, as.ben, { verdict: 'deny' });
    expect(await bank.edit(id, as.ana, OTHER)).toMatchObject({ status: 409, json: { code: 'not_pending' } });
    const late = (await bank.ask()).json;
    services.clock.advance(3_600_001);
    expect(await bank.edit(late.id, as.ana, OTHER)).toMatchObject({ json: { code: 'not_pending' } });
    expect(await bank.edit(randomUUID(), as.ana, OTHER, { digest: 'x', revision: 1 })).toMatchObject({
      status: 404,
    });
  });

  verifies(
    'never:decision-without-standing',
    'nobody edits, sees or answers what is not theirs',
    async () => {
      const { as, get, post } = bank;
      const { id, argsDigest: digest, revision } = (await bank.ask()).json;
      const items = [{ id, digest, revision }];
      const seen = { digest, revision };
      for (const who of [as.agent, as.oncall, as.auditor, as.dan, as.olga, as.stranger]) {
        // What is of another agent is not there.
        const status = who === as.stranger ? 404 : 403;
        expect((await post(`/v1/actions/${id}/edits`, who, { args: OTHER, ...seen })).status).toBe(status);
        expect((await post(`/v1/actions/${id}/decisions`, who, { verdict: 'deny' })).status).toBe(status);
        const glass = { verdict: 'approve', breakGlass: true, reason: 'now', ...seen };
        expect((await post(`/v1/actions/${id}/decisions`, who, glass)).status).toBe(status);
        const batch = await post('/v1/approvals/batch', who, { verdict: 'approve', items });
        const code = expect.stringMatching(/^(not_found|not_eligible)$/);
        if (batch.status === 403) expect(batch.json.code).toBe('forbidden');
        else expect(batch.json.results).toEqual([{ id, code, message: expect.any(String) }]);
        expect((await get('/v1/approvals/queue', who)).json).toEqual({ actions: [] });
      }
      for (const path of ['', '/like', '/receipt'])
        expect(await get(`/v1/actions/${id}${path}`, as.stranger)).toMatchObject({
          status: 404,
          json: { code: 'not_found', detail: `There is no action "${id}"` },
        });
      expect((await get('/v1/approvals/queue?agent=desk', as.stranger)).status).toBe(403);
      expect((await get(`/v1/actions/${id}`)).json).toMatchObject({
        state: 'pending',
        decisions: [],
        edits: [],
      });
    },
  );
});

describeWithServices('answering over HTTP', (make) => {
  test('where the release wants a reason, approving without one is refused; denying is not', async () => {
    const { ask, decide, as } = await openBank(make, '{ group: desk, reason: required }');
    const { id } = (await ask()).json;
    for (const reason of [undefined, '', '  '])
      expect(await decide(id, as.ana, { reason })).toMatchObject({
        status: 422,
        json: { code: 'reason_needed', hint: expect.stringContaining('Say why') },
      });
    expect((await decide(id, as.ana, { reason: 'Seen the bill' })).json).toMatchObject({
      state: 'approved',
      decisions: [{ person: 'ana', reason: 'Seen the bill' }],
    });
    const other = (await ask()).json;
    expect((await decide(other.id, as.ana, { verdict: 'deny' })).json.state).toBe('denied');
  });

  test("a denier's words reach the agent as data, apart from an expiry", async () => {
    const { ask, decide, get, as } = await openBank(make);
    const { id } = (await ask()).json;
    await decide(id, as.ana, { verdict: 'deny', reason: 'Not this customer' });
    expect((await get(`/v1/actions/${id}`, as.agent)).json).toMatchObject({
      state: 'denied',
      outcome: 'denied',
      decidedBy: 'person',
      denyReason: 'Not this customer',
    });
  });

  test('who is behind it may be one text or a list, and none of them approves', async () => {
    const { ask, decide, as } = await openBank(make);
    for (const behind of ['ana@bank.test', ['somebody else', 'U0ANA/T0BANK'], ['ana']]) {
      const { json } = await ask({ behind });
      expect(json.behind).toEqual([behind].flat());
      expect(await decide(json.id, as.ana)).toMatchObject({ json: { details: { because: 'requester' } } });
      expect((await decide(json.id, as.ben)).json.state).toBe('approved');
    }
    expect((await ask()).json.behind).toEqual([]);
    for (const behind of ['', [''], Array(21).fill('x'), 7, [{}]])
      expect((await ask({ behind })).status).toBe(400);
  });

  verifies(
    'never:decision-without-standing',
    'the glass is broken by its group alone, with a reason',
    async () => {
      const { ask, decide, get, as } = await openBank(make, '{ groups: { desk: 2 }, breakGlass: emergency }');
      const { id } = (await ask()).json;
      const glass = { breakGlass: true, reason: 'The clinic waits' };
      for (const who of [as.ana, as.dan, as.cleo])
        expect(await decide(id, who, glass)).toMatchObject({ status: 403, json: { code: 'not_eligible' } });
      expect(await decide(id, as.eve, { reason: 'x' })).toMatchObject({ status: 403 });
      for (const reason of [undefined, ' '])
        expect(await decide(id, as.eve, { ...glass, reason })).toMatchObject({
          status: 422,
          json: { code: 'reason_needed' },
        });
      const broken = await decide(id, as.eve, glass);
      expect(broken.json).toMatchObject({ state: 'approved', counted: true, breakGlass: {} });
      const { reviews } = (await get('/v1/approvals/reviews', as.auditor)).json;
      expect(reviews).toMatchObject([{ person: 'eve', via: 'api', reason: 'The clinic waits' }]);
    },
  );

  test('what is like it: same tool, grant and segment, itself included, without arguments', async () => {
    const { ask, decide, get, as } = await openBank(make);
    const first = (await ask()).json;
    const second = (await ask({ args: { amount: 9, to: 'Tom' } })).json;
    await ask({ tool: 'wire', args: { amount: 1 } });
    const decided = (await ask()).json;
    await decide(decided.id, as.ana, { verdict: 'deny' });
    const { json, text } = await get(`/v1/actions/${first.id}/like`, as.agent);
    expect(json.actions.map(({ id }: { id: string }) => id).sort()).toEqual([first.id, second.id].sort());
    expect(text).not.toContain(IBAN);
    expect((await get(`/v1/actions/${randomUUID()}/like`)).status).toBe(404);
    expect((await get('/v1/actions/nonsense/like')).status).toBe(400);
  });
});
