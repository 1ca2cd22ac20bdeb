import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordOutcomes } from '../../src/outcomes/record.ts';
import type { ActionRow } from '../../src/records/action.ts';
import { agentActor, askInput, givenAsked } from '../support/fixtures.ts';
import { writtenLog } from '../support/log.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { givenCancelled, givenExposed } from './rollouts/support.ts';

let services: TestServices;
beforeAll(async () => {
  services = await createTestServices();
  await givenExposed(services);
});
afterAll(() => services.close());

type Said = Parameters<typeof recordOutcomes>[2]['outcomes'];
const record = (outcomes: Said, actor = agentActor()) =>
  recordOutcomes(services, actor, { agent: 'desk', outcomes });
const of = (action: Pick<ActionRow, 'id'>, id: string, value = 0) => ({
  id,
  action: action.id,
  metric: 'wrong',
  value,
});

const storedOf = async (id: string) =>
  (
    await services.db.sql
      .selectFrom('outcome')
      .select(['id', 'value'])
      .where('id', 'like', `${id}%`)
      .execute()
  ).map((row) => row.id);
const logOf = (ref: string) =>
  writtenLog(services.db.sql)
    .select('body')
    .where('ref', '=', ref)
    .where('kind', '=', 'outcome.recorded')
    .orderBy('n')
    .execute();
const dueOf = (ref: string) =>
  services.db.sql
    .selectFrom('evidence_due')
    .select(['metric', 'value'])
    .where('action_id', '=', ref)
    .where('metric', 'is not', null)
    .orderBy('id')
    .execute();

test('a batch is recorded in its order, with what it counts and what the log says of it', async () => {
  const action = await givenCancelled(services, 'batch');
  const batch = [of(action, 'b-2', 1), of(action, 'b-1'), of(action, 'b-3', 1)];
  expect(await record(batch)).toEqual({ recorded: 3, repeated: 0 });
  expect(await storedOf('b-')).toEqual(expect.arrayContaining(['b-1', 'b-2', 'b-3']));
  expect(await dueOf(action.id)).toEqual([1, 0, 1].map((value) => ({ metric: 'wrong', value })));
  const bodies = (await logOf(action.id)).map(({ body }) => body);
  expect(bodies.map((body) => JSON.parse(body).data)).toEqual([
    { id: 'b-2', metric: 'wrong', value: '1' },
    { id: 'b-1', metric: 'wrong', value: '0' },
    { id: 'b-3', metric: 'wrong', value: '1' },
  ]);
  // Byte for byte what the store itself would write.
  for (const body of bodies) {
    const { kind, agent, ref, at, actor, data } = JSON.parse(body);
    const { rows } = await sql<{ body: string }>`
      SELECT log_body(${kind}, ${agent}, ${ref}, ${at}, ${actor}, ${JSON.stringify(data)}::jsonb) AS body`.execute(
      services.db.sql,
    );
    expect(body).toBe(rows[0]?.body);
  }
});

test('what was recorded before counts once, also twice in one batch', async () => {
  const action = await givenCancelled(services, 'again');
  const one = of(action, 'again-1', 1);
  expect(await record([one, of(action, 'again-2'), one])).toEqual({ recorded: 2, repeated: 1 });
  expect(await record([of(action, 'again-2'), one, of(action, 'again-3')])).toEqual({
    recorded: 1,
    repeated: 2,
  });
  expect(await dueOf(action.id)).toHaveLength(3);
  expect(await logOf(action.id)).toHaveLength(3);
});

test.each<[string, (action: ActionRow) => Said, string]>([
  ['another value under the same id', (action) => [of(action, 'kept'), of(action, 'kept', 1)], 'conflict'],
  ['no action of that id', (action) => [of(action, 'kept'), of({ id: randomUUID() }, 'x')], 'not_found'],
  ['what is no id', (action) => [of(action, 'kept'), of({ id: 'A-1' }, 'x')], 'not_found'],
  [
    'no such metric',
    (action) => [of(action, 'kept'), { ...of(action, 'x'), metric: 'other' }],
    'invalid_input',
  ],
])('%s: nothing of the batch is recorded', async (_, batch, code) => {
  const action = await givenCancelled(services, `none of ${code} ${Math.random()}`);
  await expect(record(batch(action))).rejects.toMatchObject({ code });
  expect(await storedOf('kept')).toEqual([]);
  expect([await dueOf(action.id), await logOf(action.id)]).toEqual([[], []]);
});

test('another agent’s action is none of this one’s', async () => {
  const action = await givenCancelled(services, 'mine');
  await sql`UPDATE action SET agent = 'other' WHERE id = ${action.id}`.execute(services.db.sql);
  await expect(record([of(action, 'foreign')])).rejects.toMatchObject({ code: 'not_found' });
});

test('of a read it is kept, and counts in nothing', async () => {
  const { action } = await givenAsked(services, askInput({ tool: 'unheard' }));
  expect(await record([of(action, 'read-1', 1)])).toEqual({ recorded: 1, repeated: 0 });
  expect(await dueOf(action.id)).toEqual([]);
});

test('two that report the same at once: each counts once, and neither waits for ever', async () => {
  const action = await givenCancelled(services, 'both');
  const all = Array.from({ length: 50 }, (_, n) => of(action, `both-${n}`));
  const answers = await Promise.all([record(all), record(all.toReversed())]);
  expect(answers.map(({ recorded, repeated }) => recorded + repeated)).toEqual([50, 50]);
  expect(answers.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(50);
  expect(await dueOf(action.id)).toHaveLength(50);
});
