import { sql } from 'kysely';
import pg from 'pg';
import { afterEach, describe, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { ManualClock } from '../../../src/clock.ts';
import { readManifest } from '../../../src/domain/manifest/manifest.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { testPostgres } from '../../support/context.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  givenAdopted,
  givenApprovedAction,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { createDatabase, dropDatabase } from '../../support/postgres.ts';
import { createTestServices, servicesAt, type TestServices } from '../../support/services.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const at = (time: string) => new Date(`2026-03-02T${time}Z`);

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

async function given(): Promise<TestServices> {
  const services = await createTestServices();
  opened.push(() => services.close());
  return services;
}

/** Reserves as `begin` does, for a grant with these limits. */
async function reserve({ db }: TestServices, limits: object, now: Date): Promise<boolean> {
  const action = { agent: 'desk', release: '1', grant_name: 'cancel', limits };
  const { rows } = await sql<{ ok: boolean }>`
    SELECT reserve_limits(jsonb_populate_record(NULL::action, ${JSON.stringify(action)}::jsonb), ${now}) AS ok`.execute(
    db.gate,
  );
  return rows[0]?.ok ?? false;
}

/** How many of `tries` at that moment were let through. */
async function letThrough(services: TestServices, limits: object, now: Date, tries = 3): Promise<number> {
  let passed = 0;
  for (let n = 0; n < tries; n++) passed += Number(await reserve(services, limits, now));
  return passed;
}

describe('a sliding limit', () => {
  test('holds across the edge of an hour and of a day', async () => {
    const services = await given();
    expect(await letThrough(services, { perHour: 2 }, at('10:59:59'))).toBe(2);
    expect(await letThrough(services, { perHour: 2 }, at('11:00:00'))).toBe(0);
    expect(await letThrough(services, { perHour: 2 }, at('11:59:58'))).toBe(0);
    expect(await letThrough(services, { perHour: 2 }, at('12:00:59'))).toBe(2);
    const day = await given();
    expect(await letThrough(day, { perDay: 2 }, at('23:59:59'))).toBe(2);
    expect(await letThrough(day, { perDay: 2 }, new Date('2026-03-03T00:00:00Z'))).toBe(0);
    expect(await letThrough(day, { perDay: 2 }, new Date('2026-03-03T23:59:58Z'))).toBe(0);
    expect(await letThrough(day, { perDay: 2 }, new Date('2026-03-04T00:15:00Z'))).toBe(2);
  });

  test('never lets more through in an hour, frees it a minute later at the latest, and stays small', async () => {
    const services = await given();
    const most = 5;
    const passed: number[] = [];
    let nowMs = at('00:00:00').getTime();
    let seed = 7;
    for (let n = 0; n < 400; n++) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      nowMs += (seed % (9 * MINUTE_MS)) + 1;
      const ok = await reserve(services, { perHour: most }, new Date(nowMs));
      const within = (ms: number) => passed.filter((one) => one > nowMs - ms).length;
      if (ok) {
        expect(within(HOUR_MS)).toBeLessThan(most);
        passed.push(nowMs);
      } else expect(within(HOUR_MS + MINUTE_MS)).toBeGreaterThanOrEqual(most);
    }
    expect(passed.length).toBeGreaterThan(100);
    const kept = await sql<{ rows: number }>`SELECT count(*)::int AS rows FROM limit_use`.execute(
      services.db.sql,
    );
    expect(kept.rows[0]?.rows).toBeLessThanOrEqual(2 * most);
  });

  test('holds for many at once, also at the edge of a slice', async () => {
    const services = await given();
    const times = Array.from({ length: 16 }, (_, n) => at(n % 2 === 0 ? '10:59:59.9' : '11:00:00.1'));
    const results = await Promise.all(
      times.map(async (now) => {
        for (;;) {
          try {
            return await reserve(services, { perHour: 5, perDay: 9 }, now);
          } catch (error) {
            if (!String(error).includes('lock timeout')) throw error;
          }
        }
      }),
    );
    expect(results.filter(Boolean)).toHaveLength(5);
  });

  test('one that is full uses nothing of the other', async () => {
    const services = await given();
    const limits = { perHour: 1, perDay: 2 };
    expect(await letThrough(services, limits, at('10:00:00'))).toBe(1);
    expect(await letThrough(services, limits, at('12:00:00'))).toBe(1);
    expect(await letThrough(services, limits, at('14:00:00'))).toBe(0);
    expect(await letThrough(services, { perHour: 1 }, at('14:00:00'))).toBe(1);
  });
});

test('a limit by the clock begins anew with each hour and day, in UTC', async () => {
  const services = await given();
  const limits = { perHour: 2, perDay: 5, window: 'clock' };
  expect(await letThrough(services, limits, at('10:59:59'))).toBe(2);
  expect(await letThrough(services, limits, at('11:00:00'))).toBe(2);
  expect(await letThrough(services, limits, at('23:59:59'))).toBe(1);
  expect(await letThrough(services, limits, new Date('2026-03-03T00:00:00Z'))).toBe(2);
});

test.each(['Asia/Kolkata', 'America/St_Johns'])('with a session in %s nothing is different', async (zone) => {
  const url = await createDatabase(testPostgres());
  const client = new pg.Client(url);
  await client.connect();
  await client.query(`ALTER DATABASE "${new URL(url).pathname.slice(1)}" SET timezone TO '${zone}'`);
  await client.end();
  const services = await servicesAt(url, { clock: new ManualClock(at('18:20:00')) });
  opened.push(async () => {
    await services.close();
    await dropDatabase(testPostgres(), url);
  });
  const { rows } = await sql<{ TimeZone: string }>`SHOW TimeZone`.execute(services.db.gate);
  expect(rows[0]?.TimeZone).toBe(zone);
  const byClock = { perDay: 1, window: 'clock' };
  // Midnight in Kolkata is 18:30, in Newfoundland 03:30 (02:30 in summer).
  expect(await letThrough(services, byClock, at('02:29:00'))).toBe(1);
  for (const time of ['02:31:00', '03:31:00', '18:29:00', '18:31:00', '23:59:59'])
    expect([time, await letThrough(services, byClock, at(time))]).toEqual([time, 0]);
  expect(await letThrough(services, byClock, new Date('2026-03-03T00:00:00Z'))).toBe(1);
});

const limited = (limits: string) =>
  RELEASE_YAML.replace(
    'cancel, approval: desk',
    `cancel, approval: { group: desk, expiresIn: 3d }, limits: ${limits}`,
  );

test('a begin reserves, one that is refused for it stays approved and uses nothing', async () => {
  const services = await given();
  await givenAdopted(services, { releaseYaml: limited('{ perHour: 2, perDay: 3 }') });
  const actions: ActionRow[] = [];
  for (let n = 0; n < 4; n++) actions.push(await givenApprovedAction(services));
  const begin = (n: number) =>
    beginAction(services, agentActor(), { id: actions[n]?.id ?? '', executionId: 'e' });
  await begin(0);
  await begin(1);
  for (let n = 0; n < 3; n++)
    await expect(begin(2)).rejects.toMatchObject({ code: 'limit_reached', details: { state: 'approved' } });
  services.clock.advance(HOUR_MS + MINUTE_MS);
  expect((await begin(2)).action.state).toBe('executing');
  await expect(begin(3)).rejects.toMatchObject({ code: 'limit_reached' });
});

test('a window is refused where there is nothing to count, and any other word for it', () => {
  const problems = (limits: string) => {
    const read = readManifest('release.yaml', limited(limits), 'release', agentFrom(AGENT_YAML));
    return read.ok ? [] : read.problems.map(({ message, hint }) => `${message}: ${hint}`);
  };
  expect(problems('{ perHour: 2, window: clock }')).toEqual([]);
  expect(problems('{ window: clock }')).toEqual([expect.stringMatching(/window.*Set perHour or perDay/)]);
  expect(problems('{ perHour: 2, window: weekly }')).toHaveLength(1);
});
