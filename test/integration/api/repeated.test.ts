import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import { givenToken } from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';

let api: TestApi;
beforeAll(async () => {
  api = await givenApi(() => createTestServices());
  return () => api.services.close();
});

type Body = Record<string, unknown>;
const ask = (body: Body, as = api.as.agent) =>
  call(api.app, 'POST /v1/actions?begin=true', { as, body: askBody(body) });
const complete = (id: string, executionId: string) =>
  call(api.app, `POST /v1/actions/${id}/complete`, { as: api.as.agent, body: { executionId, ok: true } });

/** Asked and approved under `key`, not begun yet. */
async function givenApproved(key: string, more: Body = {}): Promise<string> {
  const { json } = await ask({ idempotencyKey: key, ...more });
  const approved = await call(api.app, `POST /v1/actions/${json.id}/decisions`, {
    as: api.as.ana,
    body: { verdict: 'approve', digest: json.argsDigest },
  });
  expect(approved.status).toBe(200);
  return json.id;
}

test('an answer that was lost is given again under the same key: same execution, new credential, old one revoked', async () => {
  const key = randomUUID();
  const id = await givenApproved(key);
  const lost = await ask({ idempotencyKey: key });
  const again = await ask({ idempotencyKey: key });
  expect(again).toMatchObject({
    status: 200,
    json: { id, state: 'executing', execution: lost.json.execution, startBy: lost.json.startBy },
  });
  expect(again.json.credential.token).toEqual(expect.any(String));
  expect(again.json.credential.jti).not.toBe(lost.json.credential.jti);
  const credentials = await api.services.db.sql
    .selectFrom('credential')
    .select(['jti', 'revoked_at'])
    .where('action_id', '=', id)
    .execute();
  expect(Object.fromEntries(credentials.map(({ jti, revoked_at }) => [jti, revoked_at !== null]))).toEqual({
    [lost.json.credential.jti]: true,
    [again.json.credential.jti]: false,
  });
  expect((await complete(id, again.json.execution.executionId)).json.state).toBe('executed');
});

test('an execution of the caller’s own is handed over again without naming it, and to no other name', async () => {
  const key = randomUUID();
  await givenApproved(key);
  const first = await ask({ idempotencyKey: key, executionId: 'mine' });
  expect(first.json.execution.executionId).toBe('mine');
  expect((await ask({ idempotencyKey: key })).json.execution.executionId).toBe('mine');
  expect(await ask({ idempotencyKey: key, executionId: 'other' })).toMatchObject({
    status: 409,
    json: { code: 'already_begun' },
  });
});

test('after startBy nothing is handed over; what is over is answered as it is', async () => {
  const key = randomUUID();
  const id = await givenApproved(key);
  const { json } = await ask({ idempotencyKey: key });
  api.services.clock.advance(5_001);
  expect(await ask({ idempotencyKey: key })).toMatchObject({ status: 409, json: { code: 'too_late' } });
  await complete(id, json.execution.executionId);
  const over = await ask({ idempotencyKey: key });
  expect(over).toMatchObject({ status: 200, json: { id, state: 'executed', repeated: true } });
  expect(over.json).not.toHaveProperty('credential');
});

test('another build or other attributes repeat the same question', async () => {
  const key = randomUUID();
  const first = await ask({ idempotencyKey: key });
  const silver = await givenToken(api.services, 'agent', { agent: 'desk', attributes: { tier: 'silver' } });
  const build = await ask({ idempotencyKey: key, agentVersion: '2.0.0' });
  const token = await ask({ idempotencyKey: key }, silver);
  for (const { status, json } of [build, token])
    expect([status, json.id, json.segment, json.repeated]).toEqual([202, first.json.id, 'gold', true]);
});

test.each([
  ['tool', { tool: 'refund', args: { id: 'R-1' } }],
  ['args', { args: { id: 'R-2' } }],
  ['subject', { subject: 'guest-2' }],
  ['context', { context: { mood: 'angry' } }],
])('another %s under the same key is refused, and named', async (part, more) => {
  const key = randomUUID();
  const { json } = await ask({ idempotencyKey: key });
  const other = await ask({ idempotencyKey: key, ...more });
  expect(other).toMatchObject({
    status: 409,
    json: { code: 'idempotency_conflict', retry: false, details: { action: json.id, differs: [part] } },
  });
  expect(other.json.detail).toContain(`with another ${part}`);
  expect(other.json.detail).not.toContain('other arguments');
});

test('several differences are all named', async () => {
  const key = randomUUID();
  await ask({ idempotencyKey: key });
  const other = await ask({ idempotencyKey: key, args: { id: 'R-9' }, subject: 'guest-9' });
  expect(other.json.details.differs).toEqual(['args', 'subject']);
});
