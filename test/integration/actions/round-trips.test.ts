import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { actionView } from '../../../src/actions/view.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { actionById } from '../../../src/records/action.ts';
import { closeGateFor } from '../../../src/records/gate.ts';
import { askBody, call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenApprovedAction,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';

let api: TestApi;

beforeAll(async () => {
  api = await givenApi(createTestServices);
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

/** How often the store was asked meanwhile: each query of a client is one round trip. */
async function tripsOf<T>(work: () => Promise<T>): Promise<{ trips: string[]; answer: T }> {
  const spy = vi.spyOn(pg.Client.prototype, 'query');
  try {
    const answer = await work();
    const trips = spy.mock.calls.map(([query]) => String((query as { text?: string }).text ?? query));
    return { trips: trips.map((text) => text.trim().replace(/\s+/g, ' ')), answer };
  } finally {
    spy.mockRestore();
  }
}

const begin = (id: string, body = {}) =>
  call(api.app, `POST /v1/actions/${id}/begin`, { as: api.as.agent, body: { executionId: 'e-1', ...body } });

test('no connection compiles what it asks', async () => {
  const { sql: everyday, gate } = api.services.db;
  for (const db of [everyday, gate]) expect((await sql`SHOW jit`.execute(db)).rows).toEqual([{ jit: 'off' }]);
});

test('a begin asks the store twice: once to begin, once to keep its credential', async () => {
  await begin((await givenApprovedAction(api.services)).id);
  const { id } = await givenApprovedAction(api.services);
  const { trips, answer } = await tripsOf(() => begin(id));
  expect(answer.status).toBe(200);
  expect(trips).toEqual([
    expect.stringMatching(/^SELECT .* FROM begin_write\(/),
    expect.stringMatching(/^SELECT store_credential\(/),
  ]);
  // What it shows is what everybody is shown.
  const { startBy, credential, ...shown } = answer.json;
  expect({ startBy, credential }).toMatchObject({
    startBy: expect.any(String),
    credential: { scopes: ['order:cancel'] },
  });
  const view = await actionView(api.services, await actionById(api.services.db.sql, id), { args: false });
  expect(shown).toEqual(JSON.parse(JSON.stringify(view)));
  expect(shown).toMatchObject({
    decisions: [{ person: 'ana', verdict: 'approve' }],
    consequence: 'The guest loses the room',
  });
});

test('the same execution once more, and one that is refused, take no more', async () => {
  const { id } = await givenApprovedAction(api.services);
  await begin(id);
  const again = await tripsOf(() => begin(id));
  expect([again.answer.status, again.trips.length]).toEqual([200, 2]);
  const other = await tripsOf(() => begin(id, { executionId: 'e-2' }));
  expect([other.answer.json.code, other.trips.length]).toEqual(['already_begun', 1]);
});

test('what an agent is told of a tool follows its manifest at once', async () => {
  const { id } = await givenApprovedAction(api.services);
  await applyAgent(
    api.services,
    managerActor(),
    agentFrom(AGENT_YAML.replace('The guest loses the room', 'The room is gone')),
  );
  expect((await begin(id)).json).toMatchObject({ consequence: 'The room is gone' });
});

test('asked and begun in one request: the question brings the begin and its credential with it', async () => {
  await givenRelease(api.services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
  await closeGateFor(api.services, (tx) => tx.updateTable('in_force').set({ release: '2' }).execute());
  const ask = (more = {}) =>
    call(api.app, 'POST /v1/actions?begin=true', {
      as: api.as.agent,
      body: askBody({ subject: 'guest', ...more }),
    });
  await ask();
  const key = 'asked-once';
  const { trips, answer } = await tripsOf(() => ask({ idempotencyKey: key }));
  expect(answer.json).toMatchObject({ state: 'executing', credential: { jti: expect.any(String) } });
  expect(trips).toEqual([expect.stringContaining('ask_actions(')]);
});

test('completing asks for nothing that this process knows', async () => {
  const body = { executionId: 'e-1', ok: true, result: { done: 1 } };
  const done = async () => {
    const { json } = await call(api.app, 'POST /v1/actions?begin=true', {
      as: api.as.agent,
      body: askBody({ subject: 'guest', executionId: 'e-1' }),
    });
    return tripsOf(() => call(api.app, `POST /v1/actions/${json.id}/complete`, { as: api.as.agent, body }));
  };
  await done();
  const { trips, answer } = await done();
  expect(answer.json).toMatchObject({ state: 'executed', consequence: expect.any(String) });
  expect(trips[0]).toContain('complete_action(');
  expect(trips.length).toBeLessThanOrEqual(3);
  expect(trips.join('\n')).not.toContain('"manifest"');
});
