import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { askAction } from '../src/actions/ask.ts';
import { completeAction } from '../src/actions/complete.ts';
import { makePartitions } from '../src/db/partitions.ts';
import { startPostgres } from '../src/embedded/postgres/server.ts';
import { sequenceLog } from '../src/log/sequence.ts';
import { foldCounts } from '../src/records/counters.ts';
import {
  agentActor,
  askInput,
  givenAdopted,
  givenBegunAction,
  givenPendingAction,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../test/support/fixtures.ts';
import { fillStore } from '../test/support/growth/fill.ts';
import { OPERATIONS, type Operation } from '../test/support/growth/operations.ts';
import { rowsRead } from '../test/support/growth/rows-read.ts';
import { createDatabase } from '../test/support/postgres.ts';
import { servicesAt, type TestServices } from '../test/support/services.ts';
import { startRollout } from '../test/support/start.ts';
import { benchBeside } from './beside.ts';
import { ms, ratio, spreadOf } from './measure.ts';

const ROUNDS = 15;
const STANDARD_ROWS = 1_000_000;
/** Of a hundred: reads, and the rest writes. */
const READS = 0.8;
const PENDING = 2_000;
const ASKS = 3_000;
const A_MONTH = 30_000_000;

interface Cost {
  p50: number;
  rows: number;
}

/** Each operation on an empty store and on a filled one: how long it takes, and what it reads. */
export async function benchGrowth(say: (line: string) => void, rows = STANDARD_ROWS): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-growth-'));
  const postgres = await startPostgres({ folder, log: say });
  const services = await servicesAt(await createDatabase(postgres));
  // As a service: the present time, whatever a test would have.
  services.clock.now = () => new Date();
  try {
    await measure(say, services, rows);
  } finally {
    await services.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(say: (line: string) => void, services: TestServices, rows: number): Promise<void> {
  await makePartitions(services.db, services.clock.now());
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, RELEASE_2_YAML);
  await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'growth' });
  const { action: read } = await askAction(services, agentActor(), askInput({ tool: 'lookup' }));
  const executed = await givenBegunAction(services);
  await completeAction(services, agentActor(), { id: executed.id, executionId: 'e-1', ok: true });
  const pending = await givenPendingAction(services);
  const empty = await costs(services);
  const fill = { reads: Math.round(rows * READS), writes: Math.round(rows * (1 - READS)), pending: PENDING };
  const templates = { read: read.id, executed: executed.id, pending: pending.id };
  await fillStore(services.db, templates, fill, services.clock.now());
  // As the background does all the time.
  await foldCounts(services.db.sql, services.dayMs);
  const full = await costs(services);
  say(
    `${cpus().length} cores; ${fill.reads.toLocaleString('en')} reads, ${fill.writes.toLocaleString('en')} executed writes, ${PENDING.toLocaleString('en')} that wait; never analysed; fsync and synchronous_commit on\n`,
  );
  say(
    `${'operation'.padEnd(28)}${'empty'.padStart(10)}${'full'.padStart(10)}${'ratio'.padStart(9)}${'rows read'.padStart(18)}  gate`,
  );
  for (const { name, holdsGate } of OPERATIONS) {
    const [before, after] = [empty.get(name), full.get(name)];
    if (!before || !after) continue;
    say(
      `${name.padEnd(28)}${ms(before.p50).padStart(10)}${ms(after.p50).padStart(10)}${ratio(after.p50, before.p50).padStart(9)}${`${before.rows} / ${after.rows}`.padStart(18)}  ${holdsGate ? 'yes' : ''}`,
    );
  }
  // Before the others: they change what is in force.
  await sayBytes(say, services);
  await benchBeside(services, say);
}

async function costs(services: TestServices): Promise<Map<string, Cost>> {
  const found = new Map<string, Cost>();
  const durations = new Map<string, number[]>();
  const reads = new Map<string, number>();
  // In turns: some make what others need, such as a switch that is off.
  for (let round = 0; round < ROUNDS; round++) {
    await sequenceLog(services.db.sql);
    for (const operation of OPERATIONS) {
      const took = await once(services, operation, round === ROUNDS - 1 ? reads : undefined);
      durations.set(operation.name, [...(durations.get(operation.name) ?? []), took]);
    }
  }
  for (const [name, all] of durations)
    found.set(name, { p50: spreadOf(all.slice(2)).p50, rows: reads.get(name) ?? 0 });
  return found;
}

async function once(
  services: TestServices,
  operation: Operation,
  reads: Map<string, number> | undefined,
): Promise<number> {
  const given = (await operation.prepare?.(services)) ?? '';
  const before = reads && (await rowsRead(services.db));
  const startedAt = performance.now();
  await operation.run(services, given);
  const took = performance.now() - startedAt;
  if (reads && before !== undefined) reads.set(operation.name, (await rowsRead(services.db)) - before);
  return took;
}

/** What a recorded read and an executed write leave behind, on the disk and in the write-ahead log. */
async function sayBytes(say: (line: string) => void, services: TestServices): Promise<void> {
  const { sql: db } = services.db;
  const state = async () => {
    const { rows } = await sql<{ bytes: number; wal: number }>`
      SELECT pg_database_size(current_database()) AS bytes,
        pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal`.execute(db);
    return { bytes: Number(rows[0]?.bytes), wal: Number(rows[0]?.wal) };
  };
  say('');
  const kinds: [string, () => Promise<unknown>][] = [
    [
      'a read',
      () =>
        askAction(services, agentActor(), askInput({ tool: 'lookup', args: { id: `R-${Math.random()}` } })),
    ],
    [
      'a write that a person approved',
      async () => {
        const { id } = await givenBegunAction(services, { args: { id: `R-${Math.random()}` } });
        await completeAction(services, agentActor(), { id, executionId: 'e-1', ok: true });
      },
    ],
  ];
  for (const [what, act] of kinds) {
    const n = what === 'a read' ? ASKS : ASKS / 10;
    await sql`CHECKPOINT`.execute(db);
    const before = await state();
    for (let at = 0; at < n; at += 50) await Promise.all(Array.from({ length: 50 }, act));
    await sequenceLog(db);
    const after = await state();
    const [bytes, wal] = [(after.bytes - before.bytes) / n, (after.wal - before.wal) / n];
    say(
      `${what}: ${(bytes / 1_000).toFixed(1)} kB on disk, ${(wal / 1_000).toFixed(1)} kB of WAL; 30 million a month: ${gigabytes(bytes * A_MONTH)}, ${gigabytes(wal * A_MONTH)} of WAL`,
    );
  }
}

const gigabytes = (bytes: number): string => `${Math.round(bytes / 1e9).toLocaleString('en')} GB`;
