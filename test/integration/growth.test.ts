import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askAction } from '../../src/actions/ask.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { makePartitions } from '../../src/db/partitions.ts';
import { sequenceLog } from '../../src/log/sequence.ts';
import { foldCounts } from '../../src/records/counters.ts';
import {
  agentActor,
  askInput,
  givenAdopted,
  givenBegunAction,
  givenPendingAction,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../support/fixtures.ts';
import { fillStore } from '../support/growth/fill.ts';
import { OPERATIONS } from '../support/growth/operations.ts';
import { rowsRead } from '../support/growth/rows-read.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { startRollout } from '../support/start.ts';

const FILL = { reads: 60_000, writes: 20_000, pending: 500 };
/** What a page with a filter looks through at most, twice: of what there is, a fiftieth. */
const MORE_MAX = 3_500;
const FACTOR_MAX = 1.5;

let services: TestServices;
const before = new Map<string, number>();

async function readBy(name: string): Promise<number> {
  const operation = OPERATIONS.find((one) => one.name === name);
  if (!operation) throw new Error(`there is no operation ${name}`);
  const given = (await operation.prepare?.(services)) ?? '';
  await sequenceLog(services.db.sql);
  await foldCounts(services.db.sql, services.dayMs);
  const start = await rowsRead(services.db);
  await operation.run(services, given);
  return (await rowsRead(services.db)) - start;
}

beforeAll(async () => {
  services = await createTestServices();
  services.clock.now = () => new Date();
  await makePartitions(services.db, services.clock.now());
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, RELEASE_2_YAML);
  await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'growth' });
  const { action: read } = await askAction(services, agentActor(), askInput({ tool: 'lookup' }));
  const executed = await givenBegunAction(services);
  await completeAction(services, agentActor(), { id: executed.id, executionId: 'e-1', ok: true });
  const pending = await givenPendingAction(services);
  await sequenceLog(services.db.sql);
  for (const { name } of OPERATIONS) await readBy(name);
  for (const { name } of OPERATIONS) before.set(name, await readBy(name));
  // What the server knows of a store that is nearly empty is what the plans of a full one are made by, until it looks again.
  await sql`ANALYZE`.execute(services.db.sql);
  await fillStore(
    services.db,
    { read: read.id, executed: executed.id, pending: pending.id },
    FILL,
    services.clock.now(),
  );
  await foldCounts(services.db.sql, services.dayMs);
});
afterAll(() => services.close());

describe.each(['as it was known empty', 'as it is known by now'])('what an operation reads, %s', (known) => {
  beforeAll(async () => {
    if (known !== 'as it is known by now') return;
    const { sql: db, close } = await services.db.openMigration();
    await sql`ANALYZE`.execute(db);
    await close();
  });

  test.each(OPERATIONS)('does not grow with what was done: $name', async ({ name }) => {
    const empty = before.get(name) ?? 0;
    const most = Math.max(empty * FACTOR_MAX, empty + MORE_MAX);
    let full = await readBy(name);
    // What a connection read before may be told late, and only adds: then once more.
    if (full >= most) full = await readBy(name);
    expect(full).toBeLessThan(most);
  });
});
