import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../src/actions/ask.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { makePartitions } from '../../src/db/partitions.ts';
import { normalSubject } from '../../src/domain/subject.ts';
import { sequenceLog } from '../../src/log/sequence.ts';
import { eraseSubject, resumeErasures } from '../../src/subjects/erase.ts';
import {
  actorOf,
  agentActor,
  askInput,
  givenAdopted,
  givenBegunAction,
  givenPendingAction,
} from '../support/fixtures.ts';
import { type Fill, fillStore } from '../support/growth/fill.ts';
import { rowsRead } from '../support/growth/rows-read.ts';
import { placesOf } from '../support/places.ts';
import { describeWithServices, type TestServices } from '../support/services.ts';

const CANARY = 'R-CANARY';
const ADA = { agent: 'desk', subject: 'Ada Lovelace', reason: 'asked for' };
const admin = actorOf('admin');
/** What one of its actions may take: its rows and entries of indexes in all the tables there are. */
const ROWS_AN_ACTION = 12;

/** So many of one subject, and those of others. */
async function given(services: TestServices, of: { writes: number; reads: number }, others: Fill) {
  await makePartitions(services.db, services.clock.now());
  await givenAdopted(services);
  const about = { subject: ADA.subject, args: { id: CANARY } };
  const { action: read } = await askAction(services, agentActor(), askInput({ tool: 'lookup', ...about }));
  const executed = await givenBegunAction(services, about);
  await completeAction(services, agentActor(), { id: executed.id, executionId: 'e-1', ok: true });
  const pending = await givenPendingAction(services, about);
  const templates = { read: read.id, executed: executed.id, pending: pending.id };
  await fillStore(services.db, templates, others, services.clock.now());
  const { sql: db } = services.db;
  // Made for fewer actions, they are of none.
  await sql`DELETE FROM receipt r WHERE NOT EXISTS (SELECT 1 FROM action a WHERE a.id = r.action_id)`.execute(
    db,
  );
  const { id } = await db
    .selectFrom('subject')
    .select('id')
    .where('name', '=', normalSubject(ADA.subject))
    .executeTakeFirstOrThrow();
  for (const [table, count] of [
    ['action', of.writes],
    ['read_record', of.reads],
  ] as const)
    await sql`UPDATE ${sql.table(table)} SET subject_id = ${id}, agent = 'desk' WHERE id IN (
      SELECT id FROM ${sql.table(table)} WHERE subject_id <> ${id} ORDER BY md5(id::text) LIMIT ${count})`.execute(
      db,
    );
  return id;
}

describeWithServices('erasing a subject of whom there is much', (make) => {
  test('goes on where it was ended, and leaves nothing', async () => {
    const services = await make();
    const { sql: db } = services.db;
    const of = { writes: 1_100, reads: 2_100 };
    const id = await given(services, of, { ...of, pending: 0 });
    expect(await placesOf(services, CANARY, [])).toEqual(
      expect.arrayContaining(['action.summary', 'action_private.args', 'read_record.args', 'receipt.shown']),
    );
    // Somebody else holds one of the last: there it waits, in the midst, and is ended.
    const held = await db.startTransaction().execute();
    await held
      .selectFrom('action')
      .select('id')
      .where('subject_id', '=', id)
      .orderBy('id', 'desc')
      .limit(1)
      .forUpdate()
      .execute();
    const erasing = eraseSubject(services, admin, ADA, { withinMs: 60_000 });
    const endWaiting = async () =>
      (
        await sql<{ ended: boolean }>`SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db)
      ).rows;
    await expect.poll(endWaiting, { interval: 5 }).toEqual([{ ended: true }]);
    // Who asked for it may get no answer.
    await erasing.catch(() => undefined);
    await held.rollback().execute();
    const left = () => db.selectFrom('erasure').select(['actions', 'done_at']).executeTakeFirst();
    await expect.poll(() => left().catch(() => undefined)).toMatchObject({ done_at: null });
    const emptied = (await left())?.actions;
    expect(emptied).toBeGreaterThan(0);
    expect(emptied).toBeLessThan(of.writes + 2);
    // Its name is gone, and nobody can ask about it: that it goes on is known by what is kept.
    expect(
      await db.selectFrom('subject').select('id').where('id', '=', id).executeTakeFirst(),
    ).toBeUndefined();
    await resumeErasures(services);
    expect(await db.selectFrom('erasure').select('done_at').executeTakeFirst()).toEqual({ done_at: null });

    services.clock.advance(11_000);
    await resumeErasures(services);
    expect(await db.selectFrom('erasure').selectAll().execute()).toMatchObject([
      { name: null, actions: of.writes + 2, reads: of.reads + 1, done_at: services.clock.now() },
    ]);
    for (const text of [CANARY, 'Ada Lovelace', 'ada lovelace'])
      expect([text, await placesOf(services, text, [])]).toEqual([text, []]);
    await sequenceLog(db);
    const told = await db
      .selectFrom('log_entry')
      .select('body')
      .where('kind', '=', 'subject.erased')
      .execute();
    expect(told.map(({ body }) => JSON.parse(body).data)).toEqual([
      { actions: of.writes + 2, reads: of.reads + 1, reason: ADA.reason },
    ]);
    await resumeErasures(services);
    await expect(eraseSubject(services, admin, ADA)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('does not wait for it longer than it may, and asked again goes on', async () => {
    const services = await make();
    await given(services, { writes: 600, reads: 100 }, { writes: 600, reads: 100, pending: 0 });
    const begun = await eraseSubject(services, admin, ADA, { withinMs: 0 });
    expect(begun).toMatchObject({ actions: 0, reads: 0, done_at: null });
    const asked = await askAction(
      services,
      agentActor(),
      askInput({ subject: ADA.subject, args: { id: 'R-LATER' } }),
    );
    // What was asked since is of the same name and another key: that is one more erasure, if it is wanted.
    const { id, done_at } = await eraseSubject(services, admin, ADA, { withinMs: 60_000 });
    expect([id === begun.id, done_at]).toEqual([false, services.clock.now()]);
    expect(asked.action.state).toBe('pending');
    const rest = await eraseSubject(services, admin, ADA, { withinMs: 60_000 });
    expect(rest).toMatchObject({ id: begun.id, actions: 602, reads: 101, done_at: services.clock.now() });
    for (const text of [CANARY, 'R-LATER']) expect(await placesOf(services, text, [])).toEqual([]);
  });

  test('reads its own rows and no more', { timeout: 240_000 }, async () => {
    const services = await make();
    const of = { writes: 1_500, reads: 1_500 };
    await given(services, of, { writes: 50_000, reads: 50_000, pending: 0 });
    await sql`INSERT INTO alert (id, agent, kind, facts, created_at, delivered_at)
      SELECT 'filled-' || n, 'desk', 'action.unknown', jsonb_build_object('action', gen_random_uuid(), 'summary', 'x'),
        now(), now() FROM generate_series(1, 50000) n`.execute(services.db.sql);
    const before = await rowsRead(services.db);
    const { actions, reads } = await eraseSubject(services, admin, ADA, { withinMs: 120_000 });
    const read = (await rowsRead(services.db)) - before;
    expect([actions, reads]).toEqual([of.writes + 2, of.reads + 1]);
    expect(read).toBeLessThan((actions + reads) * ROWS_AN_ACTION);
  });
});
