import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { afterAll, describe } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { openKeys } from '../../src/credentials/keys.ts';
import { sealingKeyOf } from '../../src/credentials/sealing-key.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { readStatements } from '../../src/db/sql-files.ts';
import { retentionOf } from '../../src/domain/retention.ts';
import { Worlds } from '../../src/enforcement/world.ts';
import { AskWriter } from '../../src/records/ask-writer.ts';
import type { Services } from '../../src/services.ts';
import { testPostgres } from './context.ts';
import { createDatabase, dropDatabase, type PostgresServer } from './postgres.ts';

/** Everything a verb or the API needs, on a store of its own and a clock that stands. */
export interface TestServices extends Services {
  asks: AskWriter;
  clock: ManualClock;
  close(): Promise<void>;
}

export interface TestServicesOptions extends Partial<Omit<Services, 'db' | 'clock' | 'keys' | 'worlds'>> {
  clock?: ManualClock;
}

/** Its SQL files are the migrations and the functions. */
const DB = fileURLToPath(new URL('../../src/db/', import.meta.url));
const POOL_SIZE = 8;
/** Every test store and every service of a test is sealed with it. */
export const TEST_KEY = Buffer.alloc(32, 7).toString('base64');
const sealing = () => sealingKeyOf(TEST_KEY, 'the tests');
export const TEST_SEALING = { find: sealing, make: sealing };

/** A fresh, migrated database with the services over it. Call `close()`, or let `describeWithServices` do it. */
export async function createTestServices(options: TestServicesOptions = {}): Promise<TestServices> {
  return servicesOver(await openTestDatabase(), options);
}

/** Services over a database that others use too, migrated if it is new; closing leaves the database there. */
export async function servicesAt(url: string, options: TestServicesOptions = {}): Promise<TestServices> {
  const db = await openDatabase({ url, poolSize: POOL_SIZE });
  await migrate(db);
  return servicesOver({ db, close: () => db.close() }, options);
}

/** Services over a migrated database, whoever opened it. */
export async function servicesOver(
  { db, close }: { db: Database; close(): Promise<void> },
  { clock = new ManualClock(), ...rest }: TestServicesOptions,
): Promise<TestServices> {
  return {
    db,
    clock,
    dayMs: 86_400_000,
    keys: await openKeys(db, TEST_SEALING, clock.now()),
    worlds: new Worlds(db.sql),
    retention: retentionOf({}),
    asks: new AskWriter(db.sql, clock),
    log: pino({ level: 'silent' }),
    publicUrl: 'http://portcullis.test',
    issuer: 'http://portcullis.test',
    wake: () => {},
    close,
    ...rest,
  };
}

/** A migrated database of one's own on the Postgres of this run, dropped when it is closed. */
async function openTestDatabase(): Promise<{ db: Database; close(): Promise<void> }> {
  const url = await createStore();
  const db = await openDatabase({ url, poolSize: POOL_SIZE });
  return {
    db,
    async close() {
      await db.close();
      await dropDatabase(testPostgres(), url);
    },
  };
}

/** A migrated database of one's own, for a service to start on: it changes no tables itself. */
export const createStore = (server: Pick<PostgresServer, 'url'> = testPostgres()): Promise<string> =>
  createDatabase(server, { name: templateName(), prepare: migrateAt });

async function migrateAt(url: string): Promise<void> {
  const db = await openDatabase({ url, poolSize: 1 });
  try {
    await migrate(db);
  } finally {
    await db.close();
  }
}

/** Changes with every migration and every function, so that a template is never an old one. */
function templateName(): string {
  const hash = createHash('sha256');
  for (const statement of readStatements(DB)) hash.update(statement);
  return `portcullis_${hash.digest('hex').slice(0, 16)}`;
}

/** Opens services on a database of their own; closed after the block. */
export type MakeServices = (options?: TestServicesOptions) => Promise<TestServices>;

/** Tests that open services when they need some. */
export function describeWithServices(name: string, body: (make: MakeServices) => void): void {
  describe(name, () => {
    const opened: TestServices[] = [];
    afterAll(async () => {
      await Promise.all(opened.map((services) => services.close()));
    });
    body(async (options) => {
      const services = await createTestServices(options);
      opened.push(services);
      return services;
    });
  });
}
