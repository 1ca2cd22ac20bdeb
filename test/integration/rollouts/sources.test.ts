import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { colourOf } from '../../../src/domain/review/weekly.ts';
import { nextMove, waitsOf } from '../../../src/domain/rollout/phase.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { recordOutcomes } from '../../../src/outcomes/record.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { previewReview } from '../../../src/reviews/weekly.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { readSources } from '../../../src/rollouts/read-sources.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { testPostgres } from '../../support/context.ts';
import { actorOf, agentActor, managerActor } from '../../support/fixtures.ts';
import { createDatabase } from '../../support/postgres.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed } from './support.ts';

const MINUTE_MS = 60_000;
const METRICS = `  slow:
    unit: request
    business: customer effort
    matureAfter: 0s
    source:
      staleAfter: 10m
      warmUp: 1m
      sql:
        database: CALLS
        query: >-
          SELECT count(*) AS events, count(*) FILTER (WHERE slow) AS harms FROM call
          WHERE release = {release} AND segment = {segment} AND at >= {from}::timestamptz AND at < {to}::timestamptz
`;
const GUARDRAILS = '{ metric: slow, limit: 0.05, reason: as before }';

let calls: pg.Pool;
let url: string;
beforeAll(async () => {
  url = await createDatabase(testPostgres());
  calls = new pg.Pool({ connectionString: url, max: 2 });
  await calls.query('CREATE TABLE call (release text, segment text, at timestamptz, slow boolean)');
});
afterAll(() => calls.end());

describeWithServices('a metric that a source counts', (make) => {
  let services: TestServices;
  let id: string;
  let secrets: Record<string, string>;
  beforeEach(async () => {
    await calls.query('TRUNCATE call');
    secrets = { PORTCULLIS_SOURCE_CALLS: url };
    services = await make();
    id = await givenExposed(services, {
      metrics: METRICS,
      guardrails: GUARDRAILS,
      baseline: async (one) => {
        await called(one, { release: '1', n: 40, slow: 2 });
        one.clock.advance(2 * MINUTE_MS);
        await readSources(one, sourceCredentials(secrets));
        one.clock.advance(one.dayMs);
      },
    });
    services.clock.advance(2 * MINUTE_MS);
  });

  interface Called {
    release?: string;
    segment?: string;
    n: number;
    slow?: number;
    at?: Date;
  }

  const called = (
    { clock }: TestServices,
    { release = '2', segment = 'gold', n, slow = 0, at = new Date(clock.now().getTime() + 90_000) }: Called,
  ) =>
    calls.query('INSERT INTO call SELECT $1, $2, $3, n <= $4 FROM generate_series(1, $5) AS n', [
      release,
      segment,
      at,
      slow,
      n,
    ]);

  /** A while later, so that what was called lies in the window, and every source is due. */
  async function look(forMs = 2 * MINUTE_MS) {
    services.clock.advance(forMs);
    await readSources(services, sourceCredentials(secrets));
    await queueExposed(services);
    await judgeDue(services);
    return status();
  }

  async function status() {
    const { segments, builds } = await rolloutStatus(services, id);
    const gold = segments.find(({ segment }) => segment === 'gold');
    return {
      gold,
      silver: segments.find(({ segment }) => segment === 'silver'),
      slow: gold?.verdicts[0],
      builds,
    };
  }

  test('has a baseline of what the release in force did, and evidence of what the candidate does', async () => {
    const { baseline } = await rolloutById(services.db.sql, id);
    expect(baseline).toMatchObject([{ segment: 'gold', metric: 'slow', events: 40, harms: 2, known: 40 }]);
    await called(services, { n: 20, slow: 1 });
    const { slow, builds } = await look();
    expect(slow).toMatchObject({ verdict: 'inconclusive', events: 20, harms: 1, known: 20 });
    expect(builds.map(({ version }) => version)).not.toContain('');
  });

  test('takes back the segment that it finds worse, and no other', async () => {
    await called(services, { n: 60, slow: 40 });
    await called(services, { segment: 'silver', n: 60, slow: 2 });
    const { gold, silver } = await look();
    expect([gold?.state, silver?.state]).toEqual(['rolled_back', 'exposed']);
  });

  test('counts what is read again once, and what comes late for the day before', async () => {
    await called(services, { n: 10 });
    await look();
    expect((await look()).slow).toMatchObject({ events: 10, harms: 0 });
    const yesterday = services.clock.now();
    services.clock.advance(services.dayMs);
    await called(services, { n: 5, slow: 1, at: yesterday });
    expect((await look()).slow).toMatchObject({ events: 15, harms: 1 });
  });

  test('catches up with every day of an outage', async () => {
    await called(services, { n: 10 });
    await look();
    secrets = { PORTCULLIS_SOURCE_CALLS: 'no address' };
    for (let day = 0; day < 5; day++) {
      services.clock.advance(services.dayMs);
      await called(services, { n: 3, slow: 1 });
      await look();
    }
    expect((await status()).slow).toMatchObject({ verdict: 'source-down', events: 10 });
    secrets = { PORTCULLIS_SOURCE_CALLS: url };
    expect((await look()).slow).toMatchObject({ events: 25, harms: 5 });
  });

  test('before the warm-up is over, after now and of other releases nothing counts', async () => {
    const exposed = services.clock.now().getTime() - 2 * MINUTE_MS;
    await called(services, { n: 3, slow: 3, at: new Date(exposed + MINUTE_MS / 2) });
    await called(services, { n: 3, slow: 3, at: new Date(exposed + services.dayMs) });
    await called(services, { n: 3, slow: 3, release: '1' });
    await called(services, { n: 4 });
    expect((await look()).slow).toMatchObject({ events: 4, harms: 0 });
  });

  test('whose source is gone is source-down: no breach, no pass, and the wait says why', async () => {
    await called(services, { n: 300 });
    await look();
    expect((await look(services.dayMs)).slow?.verdict).toBe('ok');
    const before = (await status()).slow;
    secrets = { PORTCULLIS_SOURCE_CALLS: 'postgres://nobody@127.0.0.1:1/none' };
    // Not at once: it may be away for a moment.
    expect((await look()).slow?.verdict).toBe('ok');
    const { gold, slow } = await look(15 * MINUTE_MS);
    expect(gold?.state).toBe('exposed');
    expect(slow).toMatchObject({ verdict: 'source-down', events: 300, logE: before?.logE });
    // On the page of the week neither a change nor good: it says nothing, and what is counted ends before.
    const { snapshot, markdown } = await previewReview(services, actorOf('auditor'));
    expect(markdown).toMatch(/Sources that say nothing: .*desk: slow in gold/);
    expect(markdown).toContain('Of 3 guardrails nothing is known: no data, or a source that is down.');
    expect(Date.parse(snapshot.dataThrough)).toBeLessThan(services.clock.now().getTime() - 14 * MINUTE_MS);
    expect(snapshot.cells.filter((cell) => colourOf(cell) !== null)).toEqual([]);
    services.clock.advance(60 * services.dayMs);
    const facts = await rolloutFacts(services, id);
    expect(waitsOf(facts).map(({ detail }) => detail)).toContainEqual(
      expect.stringMatching(/^gold slow: source-down, The database CALLS does not answer: ECONNREFUSED/),
    );
    expect(nextMove(facts)).toMatchObject({ do: 'wait' });
    secrets = { PORTCULLIS_SOURCE_CALLS: url };
    await called(services, { n: 1 });
    expect((await look()).slow?.verdict).toBe('ok');
  });

  test('of a new build whose sample begins anew fills it from its first whole day on, and speaks against all at once', async () => {
    await called(services, { n: 40 });
    await look();
    await services.db.sql
      .updateTable('rollout')
      .set({
        agent_version: '1',
        builds: JSON.stringify([{ version: '1', counts: true }]),
        held_for_version: '2',
      })
      .execute();
    expect((await look()).slow).toMatchObject({ events: 40, known: 40 });
    await runRolloutVerb(services, managerActor(), { id, verb: 'resume', reason: 'the new build is fine' });
    await called(services, { n: 10 });
    expect((await look()).slow).toMatchObject({ events: 50, known: 0 });
    services.clock.advance(services.dayMs);
    await called(services, { n: 7, slow: 1 });
    expect((await look()).slow).toMatchObject({ events: 57, harms: 1, known: 7 });
  });

  test('pauses where the release says to hold when its source is gone, and once an outage', async () => {
    const other = await make();
    const guardrails = GUARDRAILS.replace('reason:', 'on: { source-down: hold }, reason:');
    const held = await givenExposed(other, { metrics: METRICS, guardrails });
    const looked = async (advanceMs: number) => {
      other.clock.advance(advanceMs);
      await readSources(other, sourceCredentials(secrets));
      await queueExposed(other);
      await judgeDue(other);
      return (await rolloutStatus(other, held)).status;
    };
    await called(other, { n: 30 });
    expect(await looked(2 * MINUTE_MS)).toBe('running');
    secrets = { PORTCULLIS_SOURCE_CALLS: 'postgres://nobody@127.0.0.1:1/none' };
    expect(await looked(2 * MINUTE_MS)).toBe('running');
    expect(await looked(15 * MINUTE_MS)).toBe('paused');
    const { facts } = await other.db.sql
      .selectFrom('alert')
      .select('facts')
      .where('kind', '=', 'rollout.held')
      .executeTakeFirstOrThrow();
    expect(facts).toMatchObject({
      because: expect.stringMatching(/^\w+: slow is source-down: The database CALLS does not answer/),
    });
    await runRolloutVerb(other, managerActor(), { id: held, verb: 'resume', reason: 'known' });
    expect(await looked(15 * MINUTE_MS)).toBe('running');
  });

  test('that nobody reads is source-down, and not quietly fine', async () => {
    services.clock.advance(services.dayMs);
    await queueExposed(services);
    await judgeDue(services);
    expect((await status()).slow?.verdict).toBe('source-down');
  });

  test('that says less than before has lost something: nothing is taken off', async () => {
    await called(services, { n: 30, slow: 2 });
    await look();
    await calls.query('DELETE FROM call WHERE slow');
    expect((await look()).slow).toMatchObject({ events: 30, harms: 2 });
  });

  test('may only read, and its words are no part of the statement', async () => {
    const query =
      'WITH gone AS (DELETE FROM call RETURNING 1) SELECT count(*) AS events, 0 AS harms FROM gone WHERE {release} <> {segment}';
    const metrics = `${METRICS.slice(0, METRICS.indexOf('>-'))}${query}\n`;
    const other = await make();
    await expect(givenExposed(other, { metrics, guardrails: GUARDRAILS })).resolves.toBeDefined();
    await called(other, { n: 3 });
    other.clock.advance(3 * MINUTE_MS);
    await readSources(other, sourceCredentials(secrets));
    const { failure } = await other.db.sql
      .selectFrom('source_reading')
      .select('failure')
      .where('segment', '=', 'gold')
      .executeTakeFirstOrThrow();
    expect(failure).toContain('in a read-only transaction');
    expect(
      (await calls.query('SELECT count(*)::int AS n FROM call WHERE release = $1', ['2'])).rows[0]?.n,
    ).toBe(3);
  });

  test('takes no outcomes besides', async () => {
    const action = await givenCancelled(services, 's');
    expect(action.counts).toEqual({});
    const outcome = { id: 'o', action: action.id, metric: 'slow', value: 1 };
    await expect(
      recordOutcomes(services, agentActor(), { agent: 'desk', outcomes: [outcome] }),
    ).rejects.toThrow('its metric is counted by a source');
  });
});
