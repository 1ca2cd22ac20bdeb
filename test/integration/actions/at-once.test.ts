import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Asked, askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import type { Actor } from '../../../src/actor.ts';
import { actionById } from '../../../src/records/action.ts';
import { closeGateFor } from '../../../src/records/gate.ts';
import { enable } from '../../../src/switches/enable.ts';
import { verifies } from '../../requirements.ts';
import { agentActor, askInput, onCallActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { givenExposed } from '../rollouts/support.ts';
import { credentialsOf, entries } from './support.ts';

let services: TestServices;
const actor: Actor = agentActor({ attributes: { tier: 'gold' } });

beforeAll(async () => {
  services = await createTestServices();
  await givenExposed(services, {
    grants: (approval) =>
      `[{ tool: cancel, approval: ${approval} }, { tool: pay, approval: ${approval}, limits: { perHour: 1 } }]`,
  });
  // The first question of a build is noted by itself.
  await askAction(services, actor, askInput({ tool: 'pay' }));
});
afterAll(() => services.close());

const question = (name: string) =>
  askInput({ subject: `guest ${name}`, args: { id: name }, idempotencyKey: name });

/** Everything that is kept of an action, but for what is its own: ids, digests under its own salt, signatures. */
async function keptOf({ id }: { id: string }) {
  const of = async (table: string, column: string) => {
    const { rows } = await sql<{ row: Record<string, unknown> }>`
      SELECT to_jsonb(x) AS row FROM ${sql.table(table)} x WHERE ${sql.ref(column)} = ${id}`.execute(
      services.db.sql,
    );
    return rows.map(({ row }) => row);
  };
  const log = await writtenLog(services.db.sql).select('body').where('ref', '=', id).orderBy('n').execute();
  const tables = {
    action: await of('action', 'id'),
    private: await of('action_private', 'action_id'),
    open: await of('open_action', 'id'),
    credential: await of('credential', 'action_id'),
    due: await of('evidence_due', 'action_id'),
    log: log.map(({ body }) => JSON.parse(body)),
  };
  const own = (_: string, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).filter(([key]) => !OWN.has(key)))
      : value;
  return JSON.parse(JSON.stringify(tables, own));
}

/** Its own: what it is called, what it is about, and what is made of those. The card of a write that nobody is asked of is none. */
const OWN = new Set([
  ...[
    'id',
    'action_id',
    'ref',
    'jti',
    'idempotency_key',
    'request_digest',
    'same_digest',
    'subject',
    'subject_id',
  ],
  ...['subject_digest', 'args', 'argsDigest', 'args_digest', 'salt', 'summary', 'bucket', 'card_version'],
]);

/** What is due to be added up, all of it. */
async function counted(): Promise<Record<string, number>> {
  const { rows } = await sql<Record<string, number>>`
    SELECT sum(actions)::int AS actions, sum(kept)::int AS kept, sum(begun)::int AS begun, sum(confirmed)::int AS confirmed,
      sum(credentialed)::int AS credentialed FROM posture_due`.execute(services.db.sql);
  return rows[0] ?? {};
}

const minus = (all: Record<string, number>, some: Record<string, number>) =>
  Object.fromEntries(Object.entries(all).map(([name, n]) => [name, n - (some[name] ?? 0)]));

test('a write that begins with its question leaves what one leaves that begins after it', async () => {
  const none = await counted();
  const apart = await askAction(services, actor, question('apart'));
  await beginAction(services, actor, { id: apart.action.id, executionId: 'e' });
  const one = await counted();
  const asked = await askAction(services, actor, { ...question('at once'), begin: { executionId: 'e' } });
  expect(asked).toMatchObject({ outcome: 'allowed', repeated: false });
  const kept = await keptOf(asked.action);
  expect(kept).toEqual(await keptOf(apart.action));
  expect(kept).toMatchObject({
    action: [{ state: 'executing', arm: 'candidate', begun_day: expect.any(Number) }],
    open: [{ state: 'executing' }],
    due: [{}],
    credential: [{ revoked_at: null }],
    log: [{ kind: 'action.asked' }, { kind: 'action.begun' }, { kind: 'credential.issued' }],
  });
  expect(minus(await counted(), one)).toEqual(minus(one, none));
  // What it is answered is what is kept.
  const { earns_from: _, ...row } = {
    earns_from: null,
    ...(await actionById(services.db.sql, asked.action.id)),
  };
  expect(asked.action).toEqual(row);
  expect(await credentialsOf(services, asked.action)).toMatchObject([{ jti: asked.credential?.jti }]);
});

verifies(
  'never:write-after-stop',
  'a stop between its decision and its record: it neither begins nor is recorded as begun',
  async () => {
    const waiting = () =>
      sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
        AND query LIKE '%ask_actions%'`.execute(services.db.gate);
    let asking: Promise<Asked> | undefined;
    await closeGateFor(services, async (tx, epoch) => {
      await sql`INSERT INTO switch (scope, disabled, reason, actor, changed_at, epoch)
        VALUES ('tool/desk/cancel', true, 'fire', 'cleo', now(), ${epoch})`.execute(tx);
      asking = askAction(services, actor, { ...question('stopped'), begin: {} });
      await expect.poll(async () => (await waiting()).rows.length).toBe(1);
    });
    const asked = await asking;
    expect(asked).toMatchObject({ outcome: 'denied', action: { state: 'denied', began_at: null } });
    expect(asked?.credential).toBeUndefined();
    expect(await credentialsOf(services, { id: asked?.action.id ?? '' })).toEqual([]);
    await enable(services, onCallActor(), { scope: 'tool/desk/cancel', reason: 'out' });
  },
);

test('the same question again begins nothing: who repeats it is handed what began', async () => {
  const first = await askAction(services, actor, { ...question('twice'), begin: { executionId: 'e' } });
  const again = await askAction(services, actor, { ...question('twice'), begin: { executionId: 'other' } });
  expect(again).toMatchObject({ repeated: true, action: { id: first.action.id, execution_id: 'e' } });
  expect(again.credential).toBeUndefined();
  expect(await entries(services, first.action.id, 'action.begun')).toHaveLength(1);
});

test('what is limited is counted first: it waits for a begin of its own', async () => {
  const pay = async () => {
    const asked = await askAction(services, actor, {
      ...question('pay'),
      ...askInput({ tool: 'pay' }),
      begin: {},
    });
    expect(asked).toMatchObject({ credential: undefined, action: { state: 'approved', began_at: null } });
    return beginAction(services, actor, { id: asked.action.id, executionId: 'e' });
  };
  await pay();
  await expect(pay()).rejects.toMatchObject({ details: { because: 'limit_reached' } });
});
