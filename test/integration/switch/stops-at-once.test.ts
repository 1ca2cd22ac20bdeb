import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { followRevocations } from '../../../src/rollouts/follow-revocations.ts';
import { disable, finishStops, openIntents } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { listDisabled } from '../../../src/switches/list.ts';
import { verifies } from '../../requirements.ts';
import {
  agentActor,
  approverActor,
  givenAdopted,
  givenApprovedAction,
  givenAsked,
  givenPendingAction,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

const scope = 'agent/desk';
const STOP_GIVES_UP_MS = 3_000;

let services: TestServices;
beforeEach(async () => {
  services = await createTestServices();
  await givenAdopted(services);
});
afterEach(() => services.close());

/** A transaction that holds what it took until it is told to commit. */
async function held(statement: ReturnType<typeof sql>) {
  const { sql: db, close } = await services.db.openStop();
  await sql`BEGIN`.execute(db);
  await statement.execute(db);
  return async () => {
    await sql`COMMIT`.execute(db);
    await close();
  };
}

const disabling = () =>
  held(sql`SELECT disable_switch(${scope}, true, 'storm', 'cleo', ${services.clock.now()})`);
/** As a rollback of many segments does. */
const rollingBack = () =>
  held(
    sql`SELECT set_config('application_name', 'portcullis stop r1', true), pg_advisory_xact_lock(gate_key())`,
  );
const pull = () => disable(services, onCallActor('cleo'), { scope, reason: 'storm' });
const later = () => new Date(services.clock.now().getTime() + STOP_GIVES_UP_MS + 1);
const intents = () => openIntents(services.db.sql, later());
const intend = (one: string) =>
  sql`SELECT intend_stop(${one}, false, 'again', 'ana', ${services.clock.now()})`.execute(services.db.sql);
const waitingForGate = async () => {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_locks l
    WHERE l.locktype = 'advisory' AND NOT l.granted
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
    services.db.sql,
  );
  return rows[0]?.n;
};
const off = async () => (await listDisabled(services.db.sql)).map((one) => one.scope);

verifies(
  'never:write-after-stop',
  'what is asked while a stop is under way is decided after it, and nothing that waited comes back with enable',
  async () => {
    const waiting = await givenPendingAction(services);
    const commit = await disabling();
    const answers = Promise.all([givenAsked(services), givenAsked(services)]);
    const soon = await Promise.race([answers, sleep(300).then(() => 'waits')]);
    expect(soon).toBe('waits');
    await commit();
    for (const { action } of await answers)
      expect(action).toMatchObject({ state: 'denied', reasons: [{ code: 'switched_off' }] });
    await enable(services, managerActor(), { scope, reason: 'over' });
    // Whoever stopped it died before what waited was voided.
    const approving = answerAction(services, approverActor(), { id: waiting.id, verdict: 'approve' });
    await expect(approving).rejects.toMatchObject({ code: 'not_pending' });
    await expect(
      beginAction(services, agentActor(), { id: waiting.id, executionId: 'e-1' }),
    ).rejects.toMatchObject({ code: 'not_approved' });
    services.clock.advance(2_000);
    const asked = await givenPendingAction(services);
    await followRevocations(services);
    const open = await services.db.sql
      .selectFrom('action')
      .select('id')
      .where('state', 'in', ['pending', 'approved'])
      .execute();
    expect(open).toEqual([{ id: asked.id }]);
    await expect(
      beginAction(services, agentActor(), { id: waiting.id, executionId: 'e-1' }),
    ).rejects.toMatchObject({ code: 'not_approved' });
  },
);

verifies(
  'never:write-after-stop',
  'what was decided before a stop does not begin after it, enabled or not',
  async () => {
    const { id } = await givenApprovedAction(services);
    await pull();
    await enable(services, managerActor(), { scope, reason: 'over' });
    // As if the stop had missed it.
    await sql`UPDATE action SET state = 'approved' WHERE id = ${id}`.execute(services.db.sql);
    await expect(beginAction(services, agentActor(), { id, executionId: 'e-1' })).rejects.toMatchObject({
      code: 'stopped',
    });
    const after = await givenApprovedAction(services);
    expect(await beginAction(services, agentActor(), { id: after.id, executionId: 'e-2' })).toMatchObject({
      action: { state: 'executing' },
    });
  },
);

verifies(
  'never:write-after-stop',
  'a stop waits for another one, names it, and does not end it',
  async () => {
    const commit = await rollingBack();
    const answer = await pull();
    expect(answer).toMatchObject({ state: 'closing', heldBy: [{ what: 'portcullis stop r1' }] });
    expect(await intents()).toMatchObject([{ scope, actor: 'cleo', reason: 'storm' }]);
    // Asked again it is the same stop, and waits as well.
    expect(await pull()).toMatchObject({ state: 'closing' });
    await commit();
    await expect.poll(off).toEqual([scope]);
    await expect.poll(intents).toEqual([]);
    expect(await services.db.sql.selectFrom('stop').select('actor').execute()).toEqual([{ actor: 'cleo' }]);
  },
);

verifies(
  'never:write-after-stop',
  'who holds a row that a stop changes, and stands still over it, is named and ended',
  async () => {
    // As a process does that is frozen while it ends a token.
    const frozen = await services.db.sql.startTransaction().execute();
    await sql`UPDATE installation SET token_epoch = token_epoch + 1`.execute(frozen);
    const answer = await pull();
    await expect(frozen.rollback().execute()).rejects.toThrow();
    expect(answer).toMatchObject({ state: 'closed', heldBy: [{ what: 'portcullis store' }] });
    expect(await off()).toEqual([scope]);
  },
);

verifies(
  'never:write-after-stop',
  'enabling ends a stop that was asked for before by who died, and no later one',
  async () => {
    await pull();
    await intend(scope);
    await enable(services, managerActor(), { scope, reason: 'over' });
    services.clock.advance(STOP_GIVES_UP_MS + 1);
    await finishStops(services);
    expect(await off()).toEqual([]);

    await intend(scope);
    await enable(services, managerActor(), { scope, reason: 'it is on already' });
    expect(await intents()).toEqual([]);
  },
);

verifies(
  'never:write-after-stop',
  'a stop that is asked for while an enable waits for the gate closes it',
  async () => {
    await pull();
    const commit = await rollingBack();
    const enabled = enable(services, managerActor(), { scope, reason: 'over' });
    await expect.poll(waitingForGate).toBe(1);
    const stopped = pull();
    await expect.poll(waitingForGate).toBe(2);
    await commit();
    await enabled;
    expect(await stopped).toMatchObject({ state: 'closed' });
    expect(await off()).toEqual([scope]);
  },
);

test('a stop of what is gone since keeps no other one waiting', async () => {
  await intend('tool/desk/cancel');
  await intend('everything');
  await sql`UPDATE agent SET manifest = manifest #- '{tools,cancel}'`.execute(services.db.sql);
  await sql`INSERT INTO stop_intent (scope, reads, reason, actor, at)
    VALUES ('nonsense', false, 'x', 'ana', ${services.clock.now()})`.execute(services.db.sql);
  services.clock.advance(STOP_GIVES_UP_MS + 1);
  await finishStops(services);
  expect((await off()).sort()).toEqual(['everything', 'tool/desk/cancel']);
});

test('who read of a stop and is late over it does not stop again what was enabled meanwhile', async () => {
  await pull();
  await intend(scope);
  services.clock.advance(STOP_GIVES_UP_MS + 1);
  const openStop = async () => {
    await enable(services, managerActor(), { scope, reason: 'over' });
    return services.db.openStop();
  };
  await finishStops({ ...services, db: { ...services.db, openStop } });
  expect(await off()).toEqual([]);
  expect(await intents()).toEqual([]);
});
