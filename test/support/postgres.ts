import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres as startEmbedded } from '../../src/embedded/postgres/server.ts';
import { FAST } from '../../src/embedded/postgres/settings.ts';
import { log } from './timed.ts';

const TEMPLATE_LOCK = 7_245_001;
/** Memory as a folder, where there is enough of it: every test makes a database, which is hundreds of files. */
const MEMORY = '/dev/shm';
const MEMORY_LEAST_BYTES = 4 * 1024 ** 3;

export interface PostgresServer {
  /** The administrator's URL of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** Ends it in order and leaves its data: `restart()` starts it again. */
  pause(): Promise<void>;
  /** An orderly stop and a start on the same port with the same data; connections break. */
  restart(): Promise<void>;
}

export interface StartPostgresOptions {
  /** Starts a server even when TEST_DATABASE_URL is set: for tests that restart it. */
  own?: boolean;
  env?: NodeJS.ProcessEnv;
}

/** A real Postgres: the one of TEST_DATABASE_URL, else the embedded one in a temporary folder, quick and not durable. */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresServer> {
  const given = (options.env ?? process.env).TEST_DATABASE_URL;
  if (given !== undefined && given !== '' && options.own !== true) return givenServer(given);

  const folder = await mkdtemp(join(await quickFolder(), 'portcullis-postgres-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const server = await startEmbedded({ folder, settings: FAST, log });
    await makeLoginCheap(server.url);
    return {
      url: server.url,
      port: server.port,
      pause: () => server.stop(),
      restart: () => server.restart(),
      async stop() {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function quickFolder(): Promise<string> {
  const free = await statfs(MEMORY).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0,
  );
  return free >= MEMORY_LEAST_BYTES ? MEMORY : tmpdir();
}

function givenServer(url: string): PostgresServer {
  const refuse = async () => {
    throw new Error('Cannot stop the server of TEST_DATABASE_URL: start one with { own: true }');
  };
  return {
    url,
    port: Number(new URL(url).port || 5_432),
    stop: async () => undefined,
    pause: refuse,
    restart: refuse,
  };
}

/** A password is hashed thousands of times for each of thousands of connections: here once. */
async function makeLoginCheap(url: string): Promise<void> {
  const { username, password } = new URL(url);
  await withClient(url, async (client) => {
    await client.query('SET scram_iterations = 1');
    await client.query(
      `ALTER ROLE ${quoted(username)} PASSWORD ${pg.escapeLiteral(decodeURIComponent(password))}`,
    );
  });
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // a restart breaks it; the query then rejects
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

// --- Databases -----------------------------------------------------------------------------------------------

export interface DatabaseTemplate {
  /** Say in the name what is inside (for instance a hash of the migrations): one that exists is used as it is. */
  name: string;
  prepare(url: string): Promise<void>;
}

/** A fresh database on `server`; with a template it starts as a copy of what `prepare` once made. */
export async function createDatabase(
  server: Pick<PostgresServer, 'url'>,
  template?: DatabaseTemplate,
): Promise<string> {
  const name = `test_${process.pid}_${randomBytes(5).toString('hex')}`;
  await withClient(server.url, async (client) => {
    if (template !== undefined) await ensureTemplate(client, server.url, template);
    await client.query(
      `create database ${quoted(name)} template ${quoted(template === undefined ? 'template0' : template.name)} strategy file_copy`,
    );
  });
  return databaseUrl(server.url, name);
}

/** Drops a database that createDatabase() made, and breaks its connections. */
export async function dropDatabase(server: Pick<PostgresServer, 'url'>, url: string): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  await withClient(server.url, (client) =>
    client.query(`drop database if exists ${quoted(name)} with (force)`),
  );
}

async function ensureTemplate(
  client: pg.Client,
  adminUrl: string,
  template: DatabaseTemplate,
): Promise<void> {
  const exists = async () => {
    const found = await client.query('select 1 from pg_database where datname = $1', [template.name]);
    return found.rowCount === 1;
  };
  if (await exists()) return;
  await client.query('select pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    if (await exists()) return;
    // Built under another name: a template that is seen is complete.
    const building = `${template.name}_building`;
    await client.query(`drop database if exists ${quoted(building)} with (force)`);
    await client.query(`create database ${quoted(building)} template template0`);
    await template.prepare(databaseUrl(adminUrl, building));
    await client.query(`alter database ${quoted(building)} rename to ${quoted(template.name)}`);
  } finally {
    await client.query('select pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
}

function databaseUrl(adminUrl: string, name: string): string {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
}

function quoted(identifier: string): string {
  return pg.escapeIdentifier(identifier);
}
