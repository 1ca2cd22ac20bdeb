import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect } from 'vitest';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { pullSwitch } from '../../../src/switches/disable.ts';
import { verifies } from '../../requirements.ts';
import { testPostgres } from '../../support/context.ts';
import { createDatabase } from '../../support/postgres.ts';
import { servicesAt, type TestServices } from '../../support/services.ts';

const PULLS = 1_000;
const ROLLBACKS = 300;
const PROCESSES = 3;
const BEGINS_PER_PROCESS = 2;
const HEAD_START_MS = 5;

let services: TestServices;
let beginners: ChildProcess[];

beforeAll(async () => {
  const url = await createDatabase(testPostgres());
  services = await servicesAt(url);
  beginners = Array.from({ length: PROCESSES }, () =>
    fork(fileURLToPath(new URL('./race-beginner.ts', import.meta.url)), [url], {
      execArgv: ['--import', 'tsx'],
    }),
  );
  await Promise.all(beginners.map((beginner) => once(beginner, 'message')));
});
afterAll(async () => {
  for (const beginner of beginners) beginner.disconnect();
  await services.close();
});

async function begunOf(ids: string[]): Promise<number> {
  const { rows } = await sql<{ begun: number }>`
    SELECT count(*)::int AS begun FROM action WHERE id = ANY (${ids}::uuid[]) AND began_at IS NOT NULL`.execute(
    services.db.sql,
  );
  return rows[0]?.begun ?? 0;
}

/**
 * Runs a stop against each round's begins: writes that are allowed and begun while the stop is under way. Returns what
 * had begun when it returned and what began afterwards.
 */
async function race(rounds: number, arm: 'control' | 'candidate', stop: (round: number) => Promise<unknown>) {
  const totals = { before: 0, after: 0, slowestMs: 0 };
  for (let round = 0; round < rounds; round++) {
    const ids = Array.from({ length: PROCESSES * BEGINS_PER_PROCESS }, () => randomUUID());
    const replies = Promise.all(beginners.map((beginner) => once(beginner, 'message')));
    beginners.forEach((beginner, n) => {
      beginner.send({ arm, round, ids: ids.filter((_, index) => index % PROCESSES === n) });
    });
    await setTimeout(HEAD_START_MS);
    const startedAt = performance.now();
    await stop(round);
    totals.slowestMs = Math.max(totals.slowestMs, performance.now() - startedAt);
    const atReturn = await begunOf(ids);
    await replies;
    totals.before += atReturn;
    totals.after += (await begunOf(ids)) - atReturn;
  }
  return totals;
}

verifies(
  'never:write-after-stop',
  'disable: 0 writes begin after it returned, over 1,000 pulls against 3 processes',
  async () => {
    await givenRelease();
    const { before, after, slowestMs } = await race(PULLS, 'control', (round) =>
      pullSwitch(services, 'race', { scope: `tool/race/control${round}`, reason: 'race' }),
    );
    console.log(
      `disable: ${PULLS} pulls, ${before} writes begun before, ${after} after, slowest ${slowestMs.toFixed(1)} ms`,
    );
    expect(after).toBe(0);
    expect(before).toBeGreaterThan(PULLS / 10);
    expect(before).toBeLessThan(PULLS * PROCESSES * BEGINS_PER_PROCESS);
  },
  300_000,
);

verifies(
  'never:write-after-stop',
  'rollback: 0 writes of the candidate begin after it returned, over 300 rollbacks against 3 processes',
  async () => {
    await sql`INSERT INTO rollout_segment (rollout_id, segment, exposure, generation, state, changed_at)
      SELECT 'r', 's' || n, 10000, 1, 'exposed', clock_timestamp() FROM generate_series(0, ${ROLLBACKS - 1}) n`.execute(
      services.db.sql,
    );
    const { before, after } = await race(ROLLBACKS, 'candidate', (round) =>
      rollBack(services, 'r', [{ segment: `s${round}` }], { actor: 'race', because: 'race' }),
    );
    console.log(`rollback: ${ROLLBACKS} rollbacks, ${before} writes begun before, ${after} after`);
    expect(after).toBe(0);
    expect(before).toBeGreaterThan(ROLLBACKS / 10);
  },
  300_000,
);

async function givenRelease(): Promise<void> {
  const manifest = JSON.stringify({
    agent: 'race',
    people: {},
    owners: ['o'],
    approvers: {},
    tools: Object.fromEntries(Array.from({ length: PULLS }, (_, n) => [`control${n}`, {}])),
    metrics: {},
    segments: [],
  });
  await sql`INSERT INTO agent VALUES ('race', ${manifest}::jsonb, 'd', 'd', 1, clock_timestamp(), 'test')`.execute(
    services.db.sql,
  );
  for (const version of ['1', '2']) {
    await sql`INSERT INTO release VALUES ('race', ${version}, '{}', 'd', clock_timestamp(), 'test')`.execute(
      services.db.sql,
    );
  }
  await sql`INSERT INTO in_force VALUES ('race', 'default', '1', clock_timestamp(), 'test')`.execute(
    services.db.sql,
  );
  await sql`INSERT INTO rollout (id, agent, release, status, salt, plan, digests, started_at, started_by, reason)
    VALUES ('r', 'race', '2', 'running', 's', '{"control": {}}', '{}', clock_timestamp(), 'test', 'test')`.execute(
    services.db.sql,
  );
}
