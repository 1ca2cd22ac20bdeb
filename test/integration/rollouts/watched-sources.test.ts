import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { completeRollout } from '../../../src/rollouts/moves.ts';
import { readSources } from '../../../src/rollouts/read-sources.ts';
import { endWatches } from '../../../src/rollouts/watch.ts';
import { testPostgres } from '../../support/context.ts';
import { givenRelease, managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createDatabase } from '../../support/postgres.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenExposed, goldOf } from './support.ts';

const MINUTE_MS = 60_000;
/** What is called in the first of them is ripe at the end. */
const HOURS = 30;
/** What is called is there to read three minutes later; nobody waits longer than ten more. */
const METRICS = `  slow:
    unit: request
    business: customer effort
    matureAfter: 0s
    source:
      delay: 3m
      staleAfter: 10m
      sql:
        database: CALLS
        query: >-
          SELECT count(*) AS events, count(*) FILTER (WHERE slow) AS harms FROM call
          WHERE release = {release} AND segment = {segment} AND at >= {from}::timestamptz AND at < {to}::timestamptz
`;

let calls: pg.Pool;
let url: string;
beforeAll(async () => {
  url = await createDatabase(testPostgres());
  calls = new pg.Pool({ connectionString: url, max: 2 });
  await calls.query('CREATE TABLE call (release text, segment text, at timestamptz, slow boolean)');
});
afterAll(() => calls.end());

describeWithServices('a source of a rollout that is watched for a time', (make) => {
  let services: TestServices;
  let id: string;
  let until: Date;
  let secrets: Record<string, string>;

  /** Everything was read, and none of it was harm, when the last minute of its watch begins. */
  beforeEach(async () => {
    await calls.query('TRUNCATE call');
    secrets = { PORTCULLIS_SOURCE_CALLS: url };
    services = await make();
    const guardrails = '{ metric: slow, limit: 0.05, reason: as before }';
    id = await givenExposed(services, { metrics: METRICS, guardrails, watchFor: `${HOURS}h` });
    await completeRollout(services, { id, ...(await rolloutFacts(services, id)) });
    until = new Date(services.clock.now().getTime() + HOURS * 60 * MINUTE_MS);
    const first = new Date(services.clock.now().getTime() + MINUTE_MS);
    await called('gold', 300, first);
    await called('silver', 300, first);
    services.clock.advance(HOURS * 60 * MINUTE_MS - MINUTE_MS);
    await look();
    expect(await gold()).toMatchObject({ state: 'exposed', verdict: 'ok', events: 300, harms: 0 });
  });

  const called = (segment: string, n: number, at: Date, slow = false) =>
    calls.query('INSERT INTO call SELECT $1, $2, $3, $4 FROM generate_series(1, $5)', [
      ...['2', segment, at, slow],
      n,
    ]);

  /** As the service does, again and again. */
  async function look(forMs = 0) {
    services.clock.advance(forMs);
    await readSources(services, sourceCredentials(secrets));
    await queueExposed(services);
    await judgeDue(services);
    await endWatches(services);
  }

  const gold = () => goldOf(services, id, 'slow');
  const segmentOf = (segment: string) =>
    services.db.sql
      .selectFrom('rollout_segment')
      .select('state')
      .where('rollout_id', '=', id)
      .where('segment', '=', segment)
      .executeTakeFirstOrThrow();
  const isOver = async () => (await rolloutById(services.db.sql, id)).watch_ended_at !== null;
  const ended = async () =>
    (
      await writtenLog(services.db.sql).select('body').where('kind', '=', 'rollout.watch_ended').execute()
    ).map(({ body }) => JSON.parse(body).data);
  const told = async () =>
    services.db.sql
      .selectFrom('alert')
      .select(['agent', 'facts'])
      .where('kind', '=', 'rollout.watch_ended')
      .execute();

  test('is read to its end before the watch ends, and is judged by that', async () => {
    await called('gold', 200, new Date(until.getTime() - 1), true);
    await called('silver', 200, until, true);
    await look(2 * MINUTE_MS + MINUTE_MS / 2);
    expect([await isOver(), (await gold()).state]).toEqual([false, 'exposed']);
    await look(2 * MINUTE_MS);
    expect(await gold()).toMatchObject({ state: 'rolled_back', events: 500, harms: 200 });
    expect(await ended()).toEqual([{ release: '2', watchedUntil: until.toISOString() }]);
    expect(await told()).toEqual([]);
    const harms = await services.db.sql
      .selectFrom('day_count')
      .select('harms')
      .where('segment', '=', 'silver')
      .execute();
    expect(harms.every((one) => one.harms === 0)).toBe(true);
  });

  test('that is down then is waited for as long as it may be, and what it missed counts', async () => {
    await called('gold', 200, new Date(until.getTime() - 1), true);
    secrets = { PORTCULLIS_SOURCE_CALLS: 'postgres://nobody@127.0.0.1:1/none' };
    await look(5 * MINUTE_MS);
    await look(8 * MINUTE_MS);
    expect([await isOver(), (await gold()).state]).toEqual([false, 'exposed']);
    secrets = { PORTCULLIS_SOURCE_CALLS: url };
    await look(MINUTE_MS);
    expect([await isOver(), (await gold()).state]).toEqual([true, 'rolled_back']);
    expect(await told()).toEqual([]);
  });

  test('that stays down is source-down at the end, and people are told; never quietly fine', async () => {
    secrets = { PORTCULLIS_SOURCE_CALLS: 'postgres://nobody@127.0.0.1:1/none' };
    await look(14 * MINUTE_MS);
    expect(await isOver()).toBe(false);
    await look(1);
    expect(await isOver()).toBe(true);
    expect(await gold()).toMatchObject({ state: 'exposed', verdict: 'source-down', events: 300 });
    const because = expect.stringContaining('The database CALLS does not answer: ECONNREFUSED');
    const unread = ['gold', 'silver', 'default'].map((segment) => ({ segment, metric: 'slow', because }));
    const [data] = await ended();
    expect(data.unread).toHaveLength(unread.length);
    expect(data.unread).toEqual(expect.arrayContaining(unread));
    expect(await told()).toEqual([
      {
        agent: 'desk',
        facts: { rollout: id, because: expect.stringMatching(/gold: slow is source-down at its end/) },
      },
    ]);
    await look(60 * MINUTE_MS);
    expect(await told()).toHaveLength(1);
  });

  test('that nobody reads any more is source-down too', async () => {
    services.clock.advance(60 * MINUTE_MS);
    await endWatches(services);
    expect(await gold()).toMatchObject({
      verdict: 'source-down',
      sourceDown: expect.stringContaining('last read'),
    });
    expect(await told()).toHaveLength(1);
  });

  test('is read on beside a later rollout, where the release is in force', async () => {
    const { sql } = services.db;
    const { manifest } = await sql.selectFrom('agent').select('manifest').executeTakeFirstOrThrow();
    const release = await sql
      .selectFrom('release')
      .select('manifest')
      .where('version', '=', '2')
      .executeTakeFirstOrThrow();
    await givenRelease(services, manifest, JSON.stringify({ ...release.manifest, release: '3' }));
    await givenReviewed(services);
    await startRollout(services, managerActor(), { agent: 'desk', release: '3', reason: 'next' });
    await sql.updateTable('in_force').set({ release: '1' }).where('segment', '!=', 'gold').execute();
    for (const segment of ['gold', 'silver']) await called(segment, 200, new Date(until.getTime() - 1), true);
    await look(5 * MINUTE_MS);
    expect([await isOver(), (await gold()).state]).toEqual([true, 'rolled_back']);
    const { state } = await segmentOf('silver');
    expect([state, await told()]).toEqual(['exposed', []]);
  });
});
