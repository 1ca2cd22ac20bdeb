import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import { describeWithServices } from '../../support/services.ts';

describeWithServices('asking, deciding, beginning, completing', (make) => {
  let api: TestApi;
  const ask = (more: Record<string, unknown> = {}, as = api.as.agent) =>
    call(api.app, 'POST /v1/actions', { as, body: askBody(more) });

  beforeAll(async () => {
    api = await givenApi(make);
  });

  test('a read is allowed at once', async () => {
    const { status, json } = await ask({ tool: 'lookup', args: {} });
    expect(status).toBe(200);
    expect(json).toMatchObject({ outcome: 'allowed', state: 'approved', kind: 'read', recorded: 'before' });
  });

  test('a write waits: 202 with Location and Retry-After', async () => {
    const { status, headers, json } = await ask();
    expect(status).toBe(202);
    expect(headers.location).toBe(`/v1/actions/${json.id}`);
    expect(headers['retry-after']).toBe('1');
    expect(json).toMatchObject({
      outcome: 'pending',
      state: 'pending',
      segment: 'gold',
      summary: 'Cancel order R-1',
    });
    expect(json.args).toBeUndefined();
  });

  test('a denial is an answer with reasons, not a problem document', async () => {
    const { status, headers, json } = await ask({ tool: 'nothing' });
    expect(status).toBe(403);
    expect(headers['content-type']).toContain('application/json');
    expect(json).toMatchObject({ outcome: 'denied', reasons: [{ code: 'unknown_tool' }] });
  });

  test('arguments that do not fit their schema are denied without repeating them', async () => {
    const { status, text } = await ask({ args: { id: 'R-1', secretValue: 'hunter2' } });
    expect(status).toBe(403);
    expect(text).toContain('args_invalid');
    expect(text).not.toContain('hunter2');
  });

  test('the whole way: ask, approve, begin, complete, report, each safely repeated', async () => {
    const key = randomUUID();
    const first = await ask({ idempotencyKey: key });
    const again = await ask({ idempotencyKey: key });
    expect(again.json).toMatchObject({ id: first.json.id, repeated: true });
    const { id, argsDigest, revision } = first.json;
    const decide = () =>
      call(api.app, `POST /v1/actions/${id}/decisions`, {
        as: api.as.ana,
        body: { verdict: 'approve', digest: argsDigest, revision },
      });
    expect((await decide()).json).toMatchObject({ counted: true, state: 'approved', decidedBy: 'person' });
    expect((await decide()).json).toMatchObject({ counted: false, state: 'approved' });

    const begin = () =>
      call(api.app, `POST /v1/actions/${id}/begin`, { as: api.as.agent, body: { executionId: 'e-1' } });
    const begun = await begin();
    expect(begun.status).toBe(200);
    expect(begun.json).toMatchObject({ state: 'executing', credential: { scopes: ['order:cancel'] } });
    const renewed = await begin();
    expect(renewed.json.credential.jti).not.toBe(begun.json.credential.jti);
    const other = await call(api.app, `POST /v1/actions/${id}/begin`, {
      as: api.as.agent,
      body: { executionId: 'e-2' },
    });
    expect(other).toMatchObject({ status: 409, json: { code: 'already_begun' } });

    const complete = () =>
      call(api.app, `POST /v1/actions/${id}/complete`, {
        as: api.as.agent,
        body: { executionId: 'e-1', ok: true, result: { status: 'cancelled' } },
      });
    expect((await complete()).json.state).toBe('executed');
    expect((await complete()).json.state).toBe('executed');

    const report = () =>
      call(api.app, `POST /v1/actions/${id}/corrections`, {
        as: api.as.ana,
        body: { reason: 'Wrong order' },
      });
    expect((await report()).json.correction).toMatchObject({ person: 'ana', reason: 'Wrong order' });
    expect((await report()).json.correction).toMatchObject({ person: 'ana' });
  });

  test('the same idempotency key with other arguments is refused', async () => {
    const key = randomUUID();
    await ask({ idempotencyKey: key });
    const other = await ask({ idempotencyKey: key, args: { id: 'R-2' } });
    expect(other).toMatchObject({ status: 409, json: { code: 'idempotency_conflict', retry: false } });
    expect(other.headers['content-type']).toContain('application/problem+json');
  });

  test('begin=true begins an allowed write in one round trip, and only a write', async () => {
    const { services, app } = api;
    const read = await call(app, 'POST /v1/actions?begin=true', {
      as: api.as.agent,
      body: askBody({ tool: 'lookup', args: {} }),
    });
    expect(read).toMatchObject({ status: 200, json: { state: 'approved' } });
    const pending = await call(app, 'POST /v1/actions?begin=true', { as: api.as.agent, body: askBody() });
    expect(pending).toMatchObject({ status: 202, json: { state: 'pending' } });
    const body = askBody({ executionId: 'e-7' });
    const { id, argsDigest } = (await call(app, 'POST /v1/actions', { as: api.as.agent, body })).json;
    await call(app, `POST /v1/actions/${id}/decisions`, {
      as: api.as.ana,
      body: { verdict: 'approve', digest: argsDigest },
    });
    const begun = await call(app, 'POST /v1/actions?begin=true', { as: api.as.agent, body });
    expect(begun.json).toMatchObject({ id, state: 'executing', execution: { executionId: 'e-7' } });
    expect(new Date(begun.json.startBy).getTime()).toBe(services.clock.now().getTime() + 5_000);
  });

  test('two people are asked where the grant says two', async () => {
    const { id, argsDigest } = (await ask({ tool: 'refund', args: { amount: 3 } })).json;
    const decide = (as = api.as.ana) =>
      call(api.app, `POST /v1/actions/${id}/decisions`, {
        as,
        body: { verdict: 'approve', digest: argsDigest },
      });
    expect((await decide()).json).toMatchObject({ state: 'pending', counted: true });
    expect((await decide()).json).toMatchObject({ state: 'pending', counted: false });
    expect((await decide(api.as.ben)).json).toMatchObject({ state: 'approved', decisions: [{}, {}] });
  });

  test('a question is withdrawn once, and not allowed after that', async () => {
    const key = randomUUID();
    const { id } = (await ask({ idempotencyKey: key })).json;
    const withdraw = () => call(api.app, `POST /v1/actions/${id}/withdraw`, { as: api.as.agent });
    expect((await withdraw()).json.state).toBe('withdrawn');
    expect((await withdraw()).json.state).toBe('withdrawn');
    expect(await ask({ idempotencyKey: key })).toMatchObject({ status: 403, json: { outcome: 'denied' } });
  });

  test('pages of the list follow one another without a gap', async () => {
    for (let count = 0; count < 3; count++) await ask({ subject: `page-${count}` });
    const seen: string[] = [];
    let cursor = '';
    do {
      const { json } = await call(api.app, `GET /v1/actions?limit=2&state=pending${cursor}`, {
        as: api.as.ana,
      });
      seen.push(...json.actions.map((action: { id: string }) => action.id));
      cursor = json.nextCursor ? `&cursor=${encodeURIComponent(json.nextCursor)}` : '';
    } while (cursor !== '');
    const all = await call(api.app, 'GET /v1/actions?limit=200&state=pending', { as: api.as.ana });
    expect(seen).toEqual(all.json.actions.map((action: { id: string }) => action.id));
  });

  test('arguments are shown, redacted, to people and to the agent itself', async () => {
    const { id } = (await ask({ args: { id: 'R-9', card: '4111-secret' } })).json;
    for (const as of [api.as.ana, api.as.cleo, api.as.olga, api.as.auditor, api.as.agent]) {
      const { json, text } = await call(api.app, `GET /v1/actions/${id}`, { as });
      expect(json.args).toEqual({ id: 'R-9', card: '[redacted]' });
      expect(text).not.toContain('4111-secret');
    }
    expect((await call(api.app, `GET /v1/actions/${id}`, { as: api.as.admin })).status).toBe(403);
  });
});
