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
import { latestReview, makeWeeklyReview } from '../src/reviews/make.ts';
import { previewReview, verifyReview, weeklyReview } from '../src/reviews/weekly.ts';
import {
  actorOf,
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
import { rowsRead } from '../test/support/growth/rows-read.ts';
import { createDatabase } from '../test/support/postgres.ts';
import { servicesAt, type TestServices } from '../test/support/services.ts';
import { startRollout } from '../test/support/start.ts';
import { ms } from './measure.ts';

const STANDARD_ACTIONS = 5_000_000;
/** Of a hundred: reads, and the rest executed writes. */
const READS = 0.8;
const PENDING = 500;

/** The page of a week over what ninety days of traffic leave, on a store that syncs: made, shown, made again. */
export async function benchWeekly(say: (line: string) => void, actions = STANDARD_ACTIONS): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-weekly-'));
  const postgres = await startPostgres({ folder, log: say });
  const services = await servicesAt(await createDatabase(postgres));
  services.clock.now = () => new Date();
  try {
    await fill(services, actions);
    say(
      `${cpus().length} cores; ${actions.toLocaleString('en')} actions, ${((1 - READS) * 100).toFixed(0)} % of them writes; fsync and synchronous_commit on\n`,
    );
    say(`${''.padEnd(36)}${'took'.padStart(12)}${'rows read'.padStart(12)}   aim: at most 5 s`);
    await measure(say, services);
  } finally {
    await services.close();
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(services: TestServices, actions: number): Promise<void> {
  await makePartitions(services.db, services.clock.now());
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, RELEASE_2_YAML);
  await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'weekly' });
  const { action: read } = await askAction(services, agentActor(), askInput({ tool: 'lookup' }));
  const executed = await givenBegunAction(services);
  await completeAction(services, agentActor(), { id: executed.id, executionId: 'e-1', ok: true });
  const pending = await givenPendingAction(services);
  await sequenceLog(services.db.sql);
  const reads = Math.round(actions * READS);
  await fillStore(
    services.db,
    { read: read.id, executed: executed.id, pending: pending.id },
    { reads, writes: actions - reads, pending: PENDING },
    services.clock.now(),
  );
  // As the background does all the time; the page is of what is counted.
  await foldCounts(services.db.sql, services.dayMs);
  await sql`CHECKPOINT`.execute(services.db.sql);
}

async function measure(say: (line: string) => void, services: TestServices): Promise<void> {
  const auditor = actorOf('auditor');
  const week = async () => (await latestReview(services.db.sql))?.week ?? '';
  const works: [string, () => Promise<unknown>][] = [
    ['the page is made, for the first time', () => makeWeeklyReview(services)],
    ['looked whether late data changed it', () => makeWeeklyReview(services)],
    ['shown', async () => weeklyReview(services, auditor, await week())],
    ['verified: made again and compared', async () => verifyReview(services, auditor, await week())],
    ['the week that runs, as a preview', () => previewReview(services, auditor)],
  ];
  for (const [name, work] of works) {
    const before = await rowsRead(services.db);
    const startedAt = performance.now();
    await work();
    const took = performance.now() - startedAt;
    const rows = (await rowsRead(services.db)) - before;
    say(`${name.padEnd(36)}${ms(took).padStart(12)}${rows.toLocaleString('en').padStart(12)}`);
  }
}
