import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../src/actions/ask.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { listActions } from '../../src/actions/list.ts';
import { makeLogPartition } from '../../src/db/log-partitions.ts';
import { lowestIdAt, makePartitions, PARTITIONED, partitionsOf, periodOf } from '../../src/db/partitions.ts';
import { reportIncident } from '../../src/incidents/report-one.ts';
import { sequenceLog } from '../../src/log/sequence.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { actionById } from '../../src/records/action.ts';
import { dropOld } from '../../src/retention/drop.ts';
import { holdRetention, releaseRetention } from '../../src/retention/holds.ts';
import { retentionStatus } from '../../src/retention/status.ts';
import { readPosture } from '../../src/statistics/posture.ts';
import { verifies } from '../requirements.ts';
import {
  actorOf,
  agentActor,
  askInput,
  givenAdopted,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  onCallActor,
} from '../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../support/services.ts';

const DAY_MS = 86_400_000;
const admin = actorOf('admin');

/** Lets days pass as a service that runs would: partitions are made ahead. */
async function pass(services: TestServices, days: number, step = 5): Promise<void> {
  for (let day = 0; day < days; day += step) {
    services.clock.advance(step * DAY_MS);
    await makePartitions(services.db, services.clock.now());
  }
}

const rowsIn = async (services: TestServices, table: string): Promise<number> => {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM ${sql.table(table)}`.execute(
    services.db.sql,
  );
  return rows[0]?.n ?? 0;
};

/** What is stored, and stored with its arguments, as it is counted. */
async function countedIn({ db, clock }: TestServices) {
  const [posture] = await readPosture(db.sql, clock.now());
  const shares = posture?.segments.map(({ replayable }) => replayable) ?? [];
  const sum = (key: 'part' | 'of') => shares.reduce((total, share) => total + share[key], 0);
  return { actions: sum('of'), kept: sum('part') };
}

describeWithServices('what grows by the day', (make) => {
  const given = async () => {
    const services = await make();
    await makePartitions(services.db, services.clock.now());
    await givenAdopted(services);
    return services;
  };

  test('lies in partitions that are made ahead, and nothing in the rest', async () => {
    const services = await given();
    await givenBegunAction(services);
    await askAction(services, agentActor(), askInput({ tool: 'lookup' }));
    await pass(services, 40);
    await givenBegunAction(services);
    for (const one of PARTITIONED) {
      const rest = await rowsIn(services, `${one.table}_kept`);
      // Keys go by the database's own clock.
      if (one.table !== 'asked_key') expect([one.table, rest]).toEqual([one.table, 0]);
      expect((await partitionsOf(services.db.sql, one)).length).toBeGreaterThan(2);
    }
    expect(await makePartitions(services.db, services.clock.now())).toBe(0);
  });

  test('what came while there was no partition is moved when it is made', async () => {
    const services = await make();
    await givenAdopted(services);
    const { id } = await givenBegunAction(services);
    expect(await rowsIn(services, 'action_kept')).toBe(1);
    await makePartitions(services.db, services.clock.now());
    expect(await rowsIn(services, 'action_kept')).toBe(0);
    expect((await listActions(services.db.sql, { limit: 10 })).actions.map((one) => one.id)).toEqual([id]);
  });

  verifies(
    'never:acknowledged-lost',
    'who reads or asks while it is moved finds it, and is recorded',
    async () => {
      const services = await make();
      await givenAdopted(services);
      const { action } = await givenAsked(services);
      const { sql: db, close } = await services.db.openStop();
      // The move waits in its midst, for whoever holds this.
      await sql`CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
        'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN OLD; END'`.execute(db);
      await sql`CREATE TRIGGER stand_still BEFORE DELETE ON action_kept
        FOR EACH ROW EXECUTE FUNCTION stand_still()`.execute(db);
      await sql`SELECT pg_advisory_lock(4711)`.execute(db);
      const moving = makePartitions(services.db, services.clock.now());
      const waiting = async () => {
        const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_locks l
          WHERE NOT l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
          db,
        );
        return rows[0]?.n;
      };
      await expect.poll(waiting).toBe(1);
      const reading = actionById(services.db.sql, action.id);
      const asking = givenAsked(services);
      await expect.poll(waiting).toBe(3);
      await sql`SELECT pg_advisory_unlock(4711)`.execute(db);
      expect((await reading).id).toBe(action.id);
      const { action: asked } = await asking;
      await moving;
      expect(await actionById(services.db.sql, asked.id)).toMatchObject({ id: asked.id, state: 'pending' });
      await close();
    },
  );

  test('goes when its time is over, and what is open stays with all of it', async () => {
    const services = await given();
    const done = await givenBegunAction(services);
    const open = await givenPendingAction(services);
    const read = await askAction(services, agentActor(), askInput({ tool: 'lookup' }));
    await sql`UPDATE action SET state = 'executed' WHERE id = ${done.id}`.execute(services.db.sql);
    const counted = await countedIn(services);
    expect(counted).toEqual({ actions: 3, kept: 3 });
    await pass(services, 100);
    expect((await dropOld(services)).dropped.filter((name) => !name.startsWith('asked_key'))).toEqual([]);
    await pass(services, 60);
    const { dropped } = await dropOld(services);
    expect(await countedIn(services)).toEqual({ actions: 2, kept: 1 });
    expect(dropped.some((name) => name.startsWith('read_record_'))).toBe(true);
    expect(dropped.some((name) => name.startsWith('action_private_'))).toBe(true);
    expect(dropped.some((name) => /^action_\d/.test(name))).toBe(false);
    const left = (await listActions(services.db.sql, { limit: 10 })).actions.map((one) => one.id);
    expect(left).toContain(done.id);
    expect(left).not.toContain(read.action.id);
    await pass(services, 300, 50);
    await dropOld(services);
    expect((await listActions(services.db.sql, { limit: 10 })).actions.map((one) => one.id)).toEqual([
      open.id,
    ]);
    const kept = await services.db.sql.selectFrom('action_private').select('action_id').execute();
    expect(kept).toEqual([{ action_id: open.id }]);
    expect((await dropOld(services)).dropped).toEqual([]);
    expect(await countedIn(services)).toEqual({ actions: 1, kept: 1 });
    // What has begun once has begun for ever, and what is moved does not begin again.
    const [posture] = await readPosture(services.db.sql, services.clock.now());
    expect(posture?.segments).toMatchObject([{ writesConfirmed: { part: 1, of: 1 } }]);
  });

  test('what is in an incident stays until it is closed, also in one that was merged', async () => {
    const services = await given();
    const { sql: db } = services.db;
    const reported = async (id: string) => {
      const action = await givenBegunAction(services, { args: { id } });
      await completeAction(services, agentActor(), { id: action.id, executionId: 'e-1', ok: true });
      const { id: incident } = await reportIncident(services, onCallActor(), {
        agent: 'desk',
        title: `wrong ${id}`,
        reason: 'a call',
        actions: [action.id],
      });
      return { action: action.id, incident };
    };
    const [first, second] = [await reported('R-1'), await reported('R-2')];
    await db
      .updateTable('incident')
      .set({ merged_into: first.incident })
      .where('id', '=', second.incident)
      .execute();
    await pass(services, 600, 50);
    await dropOld(services);
    const left = (await listActions(db, { limit: 10 })).actions.map(({ id }) => id).sort();
    // Guard: incident_action in keptIds().
    expect(left).toEqual([first.action, second.action].sort());
  });

  test('stays as long as it is held', async () => {
    const services = await given();
    await givenAsked(services);
    const { id } = await holdRetention(services, admin, { reason: 'a dispute' });
    await pass(services, 600, 50);
    const { dropped, stays } = await dropOld(services);
    expect(dropped.filter((name) => !name.startsWith('asked_key'))).toEqual([]);
    expect(stays.length).toBeGreaterThan(10);
    expect(await retentionStatus(services, admin)).toMatchObject({
      holds: [{ id, reason: 'a dispute' }],
    });
    await releaseRetention(services, admin, { id, reason: 'over' });
    expect((await dropOld(services)).dropped.length).toBeGreaterThan(10);
    await expect(releaseRetention(services, admin, { id, reason: 'again' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('the log is sealed before it is cut, and verifies from there', async () => {
    const services = await given();
    const { sql: db } = services.db;
    await sql`INSERT INTO log_unnumbered (at, kind, body)
      SELECT ${services.clock.now()}, 'test', '{"n":' || n || '}' FROM generate_series(1, 9000) n`.execute(
      db,
    );
    await sequenceLog(db);
    expect(await makeLogPartition(db)).toBe(true);
    expect(await makeLogPartition(db)).toBe(false);
    services.clock.advance(410 * DAY_MS);
    expect((await dropOld(services)).dropped).not.toContain('log_entry_1');
    await sql`INSERT INTO log_unnumbered (at, kind, body)
      SELECT ${services.clock.now()}, 'test', '{"n":' || n || '}' FROM generate_series(1, 2000) n`.execute(
      db,
    );
    await sequenceLog(db);
    services.clock.advance(410 * DAY_MS);
    await makeLogPartition(db);
    expect((await dropOld(services)).dropped).toContain('log_entry_1');
    await sequenceLog(db);
    const { sealed } = await retentionStatus(services, admin);
    expect(sealed).toMatchObject({ seq: 9999, entries: 9999 });
    expect(await verifyLog(db)).toMatchObject({ verified: true, from: { seq: 9999 } });
  });
});

test('a period begins at midnight in UTC, and an id of its last millisecond lies in it', () => {
  const at = new Date('2026-02-28T23:59:59.999Z');
  expect(periodOf('month', at)).toEqual({ from: new Date('2026-02-01'), until: new Date('2026-03-01') });
  for (const every of ['week', 'ten days', 'month'] as const) {
    const { from, until } = periodOf(every, at);
    expect(from.getTime()).toBeLessThanOrEqual(at.getTime());
    expect(lowestIdAt(at) < lowestIdAt(until)).toBe(true);
    expect(periodOf(every, until).from).toEqual(until);
  }
});
