import { type RawBuilder, sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { createMetrics } from '../../../src/api/metrics.ts';
import { OLDEST_WORK, STORE_GAUGES } from '../../../src/api/store-gauges.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { disable } from '../../../src/switches/disable.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import {
  givenAdopted,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';

const AGO_S = 90;

/** `loop="judge"` and what it shows, of a page of metrics. */
const valuesOf = (page: string, name: string): Record<string, number> =>
  Object.fromEntries(
    [...page.matchAll(new RegExp(`^${name}(?:\\{\\w+="(\\w+)"\\})? (\\S+)$`, 'gm'))].map(
      ([, label = '', value]) => [label, Number(value)],
    ),
  );

describeWithServices('what waits', (make) => {
  let api: TestApi;
  const metrics = async () => (await call(api.app, 'GET /metrics')).text;
  const ages = async () => valuesOf(await metrics(), 'portcullis_oldest_work_age_seconds');

  beforeAll(async () => {
    api = await givenApi(make);
  });

  /** One thing that has waited for 90 s. */
  const WAITING: Record<string, (at: Date, services: TestServices) => Promise<unknown>> = {
    outbox: (at, { db }) =>
      sql`INSERT INTO outbox (topic, key, created_at) VALUES ('alert', 'x', ${at})`.execute(db.sql),
    judge: async (at, { db }) => {
      await sql`INSERT INTO rollout (id, agent, release, status, salt, plan, digests, started_at, started_by, reason)
        VALUES ('r-1', 'desk', '1', 'running', '', '{}', '{}', ${at}, 'x', 'x')`.execute(db.sql);
      await sql`INSERT INTO judge_queue (rollout_id, segment, since) VALUES ('r-1', 'gold', ${at})`.execute(
        db.sql,
      );
    },
    evidence: async (at, services) => {
      const { id } = await givenPendingAction(services);
      await sql`INSERT INTO evidence_due (action_id, at) VALUES (${id}, ${at})`.execute(services.db.sql);
    },
    sequencer: (at, { db }) =>
      sql`SELECT log_append('test.entry', NULL, 'x', ${at}, 'x', '{}')`.execute(db.sql),
    sweeper: async (at, services) => {
      const { id } = await givenPendingAction(services);
      await sql`UPDATE action SET expires_at = ${at} WHERE id = ${id}`.execute(services.db.sql);
    },
    revocations: (at, { db }) =>
      sql`INSERT INTO revocation (kind, kinds, becomes, because, epoch, actor, at)
        VALUES ('switch', '{write}', 'disabled', 'x', 1, 'x', ${at})`.execute(db.sql),
    erasures: (at, { db }) =>
      sql`INSERT INTO erasure (id, agent, subject_id, reason, actor, at, worked_at)
        VALUES (gen_random_uuid(), 'desk', 1, 'x', 'x', ${at}, ${at})`.execute(db.sql),
    callbacks: (at, { db }) =>
      sql`INSERT INTO callback (key, payload, at) VALUES ('x/1', '{}', ${at})`.execute(db.sql),
    alerts: (at, { db }) =>
      sql`INSERT INTO alert (id, kind, facts, created_at) VALUES ('x', 'x', '{}', ${at})`.execute(db.sql),
    stops: (at, { db }) =>
      sql`INSERT INTO stop_intent (scope, reads, reason, actor, at) VALUES ('agent/desk', false, 'x', 'x', ${at})`.execute(
        db.sql,
      ),
    groups: (at, { db }) =>
      sql`INSERT INTO group_source (agent, grp, kind, next_at) VALUES ('desk', 'x', 'schedule', ${at})`.execute(
        db.sql,
      ),
  };

  test('every loop is looked at', () =>
    expect(Object.keys(WAITING).sort()).toEqual(Object.keys(OLDEST_WORK).sort()));

  test.each(Object.keys(WAITING))('%s: as long as its oldest work waits', async (loop) => {
    const services = await make();
    await givenAdopted(services);
    // The log is numbered, and what the fixtures left behind is done.
    await sequenceLog(services.db.sql);
    await sql`TRUNCATE outbox, revocation`.execute(services.db.sql);
    const registry = createMetrics(services).registry;
    const shown = async () => valuesOf(await registry.metrics(), 'portcullis_oldest_work_age_seconds')[loop];
    expect(await shown()).toBe(0);
    await WAITING[loop]?.(new Date(services.clock.now().getTime() - AGO_S * 1_000), services);
    expect(await shown()).toBe(AGO_S);
  });

  test('epoch, stops in force and open actions; readyz says the same', async () => {
    const { services, app } = api;
    await givenBegunAction(services);
    await givenPendingAction(services);
    await givenAsked(services, { tool: 'lookup', args: {} });
    await disable(services, onCallActor(), { scope: 'tool/desk/refund', reason: 'x' });
    const page = await metrics();
    const ready = (await call(app, 'GET /readyz')).json;
    expect(valuesOf(page, 'portcullis_epoch')).toEqual({ '': ready.epoch });
    expect(ready.epoch).toBeGreaterThan(1);
    expect(valuesOf(page, 'portcullis_stops_in_force')).toEqual({ everything: 0, agent: 0, tool: 1 });
    expect(ready.stopsInForce).toBe(1);
    // An allowed read waits for nothing.
    expect(valuesOf(page, 'portcullis_actions_open')).toEqual({ pending: 1, approved: 0, executing: 1 });
    expect(valuesOf(page, 'portcullis_store_up')).toEqual({ '': 1 });
    expect(Object.keys(ready.oldestWork).sort()).toEqual(Object.keys(await ages()).sort());
  });

  test('a store that is away is said, and nothing is shown as it was', async () => {
    const { services } = api;
    const url = `postgres://x:x@127.0.0.1:${await freePort()}/x`;
    const away = await openDatabase({ url, poolSize: 1 });
    const db = { ...services.db };
    const { registry } = createMetrics(Object.create(services, { db: { value: db } }));
    expect(await registry.metrics()).toContain('portcullis_store_up 1');
    Object.assign(db, { sql: away.sql });
    const page = await registry.metrics();
    expect(page).toContain('portcullis_store_up 0');
    for (const name of [
      'oldest_work_age_seconds',
      'epoch',
      'stops_in_force',
      'actions_open',
      'log_unsequenced_entries',
    ])
      expect(valuesOf(page, `portcullis_${name}`)).toEqual({});
    await away.close();
  });
});

describeWithServices('what a scrape costs', (make) => {
  const PAGES_MAX = 20;
  const STORED = 10_000;

  /** An installation that has done much: everything is over but a little. */
  async function givenMuchDone() {
    const services = await make();
    await givenAdopted(services);
    const { db, clock } = services;
    const done = await givenBegunAction(services);
    const { action: read } = await givenAsked(services, { tool: 'lookup', args: {} });
    const copies = (table: 'action' | 'read_record', id: string, changes: object) => sql`
      INSERT INTO ${sql.table(table)} SELECT r.* FROM ${sql.table(table)} a, generate_series(1, ${STORED}) n,
        jsonb_populate_record(a, ${JSON.stringify(changes)}::jsonb
          || jsonb_build_object('id', gen_random_uuid(), 'idempotency_key', 'k' || n)) r
      WHERE a.id = ${id}`;
    const alone = await db.openMigration();
    await copies('action', done.id, { state: 'executed' }).execute(alone.sql);
    await copies('read_record', read.id, {}).execute(alone.sql);
    await alone.close();
    await sql`INSERT INTO alert (id, kind, facts, created_at, delivered_at)
      SELECT 'a-' || n, 'x', '{}', ${clock.now()}, ${clock.now()} FROM generate_series(1, ${STORED}) n`.execute(
      db.sql,
    );
    await sql`INSERT INTO stop_intent (scope, reads, reason, actor, at, closed_at)
      SELECT 'everything', false, 'x', 'x', ${clock.now()}, ${clock.now()} FROM generate_series(1, ${STORED}) n`.execute(
      db.sql,
    );
    await sql`INSERT INTO revocation (kind, kinds, becomes, because, epoch, actor, at, done_at)
      SELECT 'switch', '{write}', 'disabled', 'x', 1, 'x', ${clock.now()}, ${clock.now()}
      FROM generate_series(1, ${STORED})`.execute(db.sql);
    await sql`INSERT INTO callback (key, payload, at)
      SELECT 'x/' || n, '{}', ${clock.now()} FROM generate_series(1, ${STORED}) n`.execute(db.sql);
    await sql`INSERT INTO outbox (topic, key) SELECT 'alert', 'x' FROM generate_series(1, ${STORED})`.execute(
      db.sql,
    );
    await sql`INSERT INTO evidence_due (action_id, at)
      SELECT ${done.id}, ${clock.now()} FROM generate_series(1, ${STORED})`.execute(db.sql);
    await sql`SELECT log_append('test.entry', NULL, 'x', ${clock.now()}, 'x', '{}') FROM generate_series(1, ${STORED})`.execute(
      db.sql,
    );
    return services;
  }

  async function pagesOf({ db }: TestServices, query: RawBuilder<unknown>): Promise<number> {
    const { rows } = await sql<{ 'QUERY PLAN': { Plan: Record<string, number> }[] }>`
      EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${query}`.execute(db.sql);
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan ?? {};
    return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0);
  }

  test('each figure reads a few pages of a store that has done much, analysed or not', async () => {
    const services = await givenMuchDone();
    const queries = {
      ...Object.fromEntries(
        Object.entries(OLDEST_WORK).map(([loop, query]) => [loop, query(services.clock.now())]),
      ),
      ...Object.fromEntries(STORE_GAUGES.map(({ name, read }) => [name, read(services.clock.now())])),
    };
    const measured: Record<string, number[]> = {};
    for (const analysed of [false, true]) {
      if (analysed) await sql`ANALYZE`.execute(services.db.sql);
      for (const [name, query] of Object.entries(queries))
        measured[name] = [...(measured[name] ?? []), await pagesOf(services, query)];
    }
    expect(Object.entries(measured).filter(([, pages]) => pages.some((n) => n > PAGES_MAX))).toEqual([]);
    expect(Object.keys(measured)).toHaveLength(Object.keys(OLDEST_WORK).length + STORE_GAUGES.length);
  });
});
