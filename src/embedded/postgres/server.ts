import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '../cache.ts';
import { freePort, type SupervisedProcess, startProcess, waitUntilReady } from '../supervised-process.ts';
import { DATA, ensurePassword, passwordFile, readNote, urlOf, writeNote } from './address.ts';
import { type Binaries, findBinaries } from './binaries.ts';
import {
  assertSameMajor,
  fileFailure,
  isHeld,
  isPortTaken,
  isStillAttached,
  startFailure,
} from './failure.ts';
import { dataArgument, initialise, majorOf } from './initdb.ts';
import { type Owner, postgresOwner } from './owner.ts';
import { DURABLE, type PostgresSettings, SERVER_ENVIRONMENT, settingArguments } from './settings.ts';
import { claim, inUse, postmasterPid } from './takeover.ts';

/** After a crash it reads its journal first, which takes as long as it takes; a process that ends is seen at once. */
const READY_WITHIN_MS = 600_000;
const PROBE_TIMEOUT_MS = 5_000;
const PORT_TRIES_MAX = 5;
const DETACHED_WITHIN_MS = 20_000;
const RETRY_MS = 300;
const AGAIN_AFTER_MS = 2_000;

export interface StartPostgresOptions {
  /** Holds the data, the password, the log and the port; made when it is not there. */
  folder: string;
  /** Told what takes long, and what was found and mended. */
  log: Log;
  settings?: PostgresSettings;
  /** The folder of the programs; the npm package's if not given. */
  native?: string;
}

/** A Postgres of our own, on 127.0.0.1. It ends with this process. */
export interface EmbeddedPostgres {
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** `18.4` */
  readonly version: string;
  /** Breaks connections, then ends in order. */
  stop(): Promise<void>;
  /** SIGKILL, and it stays away until `restart`. */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port. */
  restart(): Promise<void>;
}

/**
 * Starts the Postgres of a folder and waits until it answers; the first time it makes the store. One that ends by
 * itself is started again.
 * @throws AppError `setup_failed` saying what to do, `data_folder_in_use` naming the process
 */
export async function startPostgres(options: StartPostgresOptions): Promise<EmbeddedPostgres> {
  const place = resolve(options.folder);
  const data = join(place, DATA);
  try {
    return await startAt(place, data, options);
  } catch (error) {
    throw fileFailure(error, data);
  }
}

async function startAt(
  place: string,
  data: string,
  { log, settings = DURABLE, native }: StartPostgresOptions,
): Promise<EmbeddedPostgres> {
  const owner = postgresOwner();
  const binaries = await findBinaries({ owner, log, native });
  await mkdir(place, { recursive: true, mode: 0o700 });
  const [found, note, password] = [await majorOf(data), await readNote(place), await ensurePassword(place)];
  if (found === undefined) {
    const sync = settings.fsync !== 'off';
    await initialise({ binaries, owner, data, passwordFile: passwordFile(place), sync, log });
  } else {
    assertSameMajor(data, { found, wanted: binaries.major });
    await claim({ data, note, log, answers: () => answers(urlOf(note?.port ?? 0, password)) });
  }
  const launch = { place, data, owner, binaries, password, settings, log };
  const { process: first, port } = await launchOn(note?.port ?? (await freePort()), launch);
  const again = async () => (await launchOn(port, launch, { mayMove: false })).process;
  const keeper = new Keeper(first, again, log);
  return {
    url: urlOf(port, password),
    port,
    folder: place,
    version: binaries.version,
    stop: () => keeper.end('stop'),
    kill: () => keeper.end('kill'),
    restart: () => keeper.restart(),
  };
}

interface Launch {
  place: string;
  data: string;
  owner: Owner | undefined;
  binaries: Binaries;
  password: string;
  settings: PostgresSettings;
  log: Log;
}

/** On `wanted`, or on another port when a program that is not ours has it and nobody knows the port yet. */
async function launchOn(
  wanted: number,
  launch: Launch,
  { mayMove = true }: { mayMove?: boolean } = {},
): Promise<{ process: SupervisedProcess; port: number }> {
  const { place, data, password, log } = launch;
  const detachedBy = performance.now() + DETACHED_WITHIN_MS;
  let port = wanted;
  for (let tries = 1; ; ) {
    const server = startServer(port, launch);
    try {
      await waitUntilReady(server, () => ask(urlOf(port, password)), {
        what: `Postgres (log: ${logFile(place)})`,
        withinMs: READY_WITHIN_MS,
      });
      await writeNote(place, { port, servicePid: process.pid });
      return { process: server, port };
    } catch (error) {
      const output = server.failure();
      await server.kill();
      if (output === undefined) throw error;
      if (isHeld(output)) throw inUse(data, (await readNote(place))?.servicePid ?? postmasterPid(data));
      if (isStillAttached(output) && performance.now() < detachedBy) {
        await sleep(RETRY_MS);
      } else if (isPortTaken(output) && mayMove && tries < PORT_TRIES_MAX) {
        tries += 1;
        const taken = port;
        port = await freePort();
        log(`Postgres: port ${taken} is taken by another program; it listens on ${port} from now on`);
      } else {
        throw startFailure(output, data);
      }
    }
  }
}

const logFile = (place: string): string => join(place, 'postgres.log');

function startServer(port: number, { place, data, owner, binaries, settings }: Launch): SupervisedProcess {
  return startProcess({
    command: binaries.postgres,
    args: ['-D', dataArgument(data, owner), '-p', String(port), ...settingArguments(settings)],
    logFile: logFile(place),
    cwd: data,
    env: SERVER_ENVIRONMENT,
    stopSignal: 'SIGINT', // "fast": breaks connections, then stops in order
    ...(owner && { uid: owner.uid, gid: owner.gid }),
  });
}

async function ask(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PROBE_TIMEOUT_MS });
  client.on('error', () => undefined); // the query rejects too
  await client.connect();
  try {
    await client.query('select 1');
  } finally {
    await client.end();
  }
}

const answers = (url: string): Promise<boolean> =>
  ask(url).then(
    () => true,
    () => false,
  );

/** Starts the server again whenever it has ended and nobody asked it to. */
class Keeper {
  #server: SupervisedProcess;
  #wanted = true;
  #starting: Promise<void> | undefined;
  readonly #launch: () => Promise<SupervisedProcess>;
  readonly #log: Log;

  constructor(server: SupervisedProcess, launch: () => Promise<SupervisedProcess>, log: Log) {
    this.#server = server;
    this.#launch = launch;
    this.#log = log;
    this.#watch();
  }

  async end(how: 'stop' | 'kill'): Promise<void> {
    this.#wanted = false;
    await this.#starting;
    await this.#server[how]();
  }

  async restart(): Promise<void> {
    await this.end('stop');
    this.#server = await this.#launch();
    this.#wanted = true;
    this.#watch();
  }

  #watch(): void {
    void this.#server.ended.then(() => {
      if (!this.#wanted) return;
      this.#log(`Postgres: ${this.#server.failure()?.split('\n')[0]}; starting it again`);
      this.#starting = this.#again();
    });
  }

  async #again(): Promise<void> {
    while (this.#wanted) {
      try {
        this.#server = await this.#launch();
        this.#log('Postgres: it answers again');
        this.#watch();
        return;
      } catch (error) {
        this.#log(`Postgres: ${error instanceof Error ? error.message : String(error)}`);
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }
}
