import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { afterAll, describe } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { openKeys } from '../../src/credentials/keys.ts';
import { sealingKeyOf } from '../../src/credentials/sealing-key.ts';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { Worlds } from '../../src/enforcement/world.ts';
import { AskWriter } from '../../src/records/ask-writer.ts';
import type { Services } from '../../src/services.ts';
import { testPostgres } from './context.ts';
import { createDatabase, dropDatabase } from './postgres.ts';

export type StoreKind = 'pglite' | 'postgres';
export const STORE_KINDS: readonly StoreKind[] = ['pglite', 'postgres'];

/** Everything a verb or the API needs, on a store of its own and a clock that stands. */
export interface TestServices extends Services {
  asks: AskWriter;
  clock: ManualClock;
  close(): Promise<void>;
}

export interface TestServicesOptions extends Partial<Omit<Services, 'db' | 'clock' | 'keys' | 'worlds'>> {
  store?: StoreKind;
  clock?: ManualClock;
}

const MIGRATIONS = fileURLToPath(new URL('../../src/db/migrations/', import.meta.url));
const POOL_SIZE = 8;
/** Every test store and every service of a test is sealed with it. */
export const TEST_KEY = Buffer.alloc(32, 7).toString('base64');
const sealing = () => sealingKeyOf(TEST_KEY, 'the tests');
export const TEST_SEALING = { find: sealing, make: sealing };

/** A fresh, migrated store with the services over it. Call `close()`, or let `describeBothStores` do it. */
export async function createTestServices(options: TestServicesOptions = {}): Promise<TestServices> {
  const { store = 'pglite', ...rest } = options;
  return servicesOver(await openTestStore(store), rest);
}

/** Services over a database that others use too, migrated if it is new; closing leaves the database there. */
export async function servicesAt(
  url: string,
  options: Omit<TestServicesOptions, 'store'> = {},
): Promise<TestServices> {
  const db = await openDatabase({ url, poolSize: POOL_SIZE });
  await migrate(db);
  return servicesOver({ db, close: () => db.close() }, options);
}

/** Services over a migrated database, whoever opened it. */
export async function servicesOver(
  { db, close }: { db: Database; close(): Promise<void> },
  { clock = new ManualClock(), ...rest }: Omit<TestServicesOptions, 'store'>,
): Promise<TestServices> {
  return {
    db,
    clock,
    dayMs: 86_400_000,
    keys: await openKeys(db, TEST_SEALING, clock.now()),
    worlds: new Worlds(db.sql),
    asks: new AskWriter(db.sql, clock),
    log: pino({ level: 'silent' }),
    publicUrl: 'http://portcullis.test',
    wake: () => {},
    close,
    ...rest,
  };
}

/** A fresh, migrated database: PGlite in memory, or one of one's own on the Postgres of this run. */
export async function openTestStore(store: StoreKind): Promise<{ db: Database; close(): Promise<void> }> {
  if (store === 'pglite') {
    const db = await openDatabase({ folder: '', memory: true });
    await migrate(db);
    return { db, close: () => db.close() };
  }
  const url = await createDatabase(testPostgres(), { name: templateName(), prepare: migrateAt });
  const db = await openDatabase({ url, poolSize: POOL_SIZE });
  return {
    db,
    async close() {
      await db.close();
      await dropDatabase(testPostgres(), url);
    },
  };
}

async function migrateAt(url: string): Promise<void> {
  const db = await openDatabase({ url, poolSize: 1 });
  try {
    await migrate(db);
  } finally {
    await db.close();
  }
}

/** Changes with every migration, so that a template is never an old one. */
function templateName(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(MIGRATIONS, { recursive: true }).map(String).sort()) {
    if (file.endsWith('.sql')) hash.update(readFileSync(`${MIGRATIONS}${file}`));
  }
  return `portcullis_${hash.digest('hex').slice(0, 16)}`;
}

/** Opens services on the store under test; closed after the block. */
export type MakeServices = (options?: Omit<TestServicesOptions, 'store'>) => Promise<TestServices>;

/** The same tests on PGlite and on Postgres. */
export function describeBothStores(name: string, body: (make: MakeServices, store: StoreKind) => void): void {
  describe.each(STORE_KINDS)(`${name} on %s`, (store) => {
    const opened: TestServices[] = [];
    afterAll(async () => {
      await Promise.all(opened.map((services) => services.close()));
    });
    body(async (options) => {
      const services = await createTestServices({ ...options, store });
      opened.push(services);
      return services;
    }, store);
  });
}
