import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { isStoreSlow, whyAbsent } from '../db/failure.ts';
import { shownUrl } from '../db/shown-url.ts';
import { AppError, ERRORS } from '../errors.ts';
import type { Cli } from './cli.ts';
import { dataFolder } from './connection.ts';
import { CliError } from './failure.ts';

const POOL_SIZE = 2;

/** The database itself, for the few commands that must work without the service. */
export interface Direct {
  db: Database;
  clock: Clock;
  /** Who acts: the account of this machine. */
  actor: string;
}

/** A database that this machine can reach without the service. */
export interface KnownDatabase {
  url: string;
  /** For people: by which way it is known. */
  by: string;
  /** It runs only while the service does. */
  isEmbedded: boolean;
}

/**
 * `DATABASE_URL`, else the embedded store of the data folder, if it is of the service that commands go to: a stop must
 * not land in another store than the one that is meant.
 */
export async function knownDatabase({
  io,
  connection,
}: Pick<Cli, 'io' | 'connection'>): Promise<KnownDatabase | undefined> {
  // Not by readConfig: a wrong variable somewhere else must not keep anybody from the switch.
  if (io.env.DATABASE_URL) return { url: io.env.DATABASE_URL, by: 'DATABASE_URL', isEmbedded: false };
  if (!connection.isLocal) return undefined;
  const { embeddedUrl } = await import('../embedded/postgres/address.ts');
  const folder = dataFolder(io);
  const url = embeddedUrl(folder);
  return url === undefined ? undefined : { url, by: `the store in ${folder}`, isEmbedded: true };
}

/**
 * Opens the database itself for one use.
 * @throws CliError `usage` when none is known, `unreachable` when it does not answer
 */
export async function inDatabase<T>(
  cli: Pick<Cli, 'io' | 'connection'>,
  absent: { message: string; hint: string },
  use: (direct: Direct) => Promise<T>,
): Promise<T> {
  const known = await knownDatabase(cli);
  if (!known) throw new CliError('usage', absent.message, { hint: absent.hint });
  const { openDatabase } = await import('../db/database.ts');
  const { DatabaseClock } = await import('../db/clock.ts');
  const db = await openDatabase({ url: known.url, poolSize: POOL_SIZE });
  let clock: Awaited<ReturnType<typeof DatabaseClock.start>> | undefined;
  try {
    clock = await DatabaseClock.start(db.sql);
    return await use({ db, clock, actor: `cli ${cli.io.user}` });
  } catch (error) {
    throw databaseFailure(error, known);
  } finally {
    clock?.stop();
    await db.close();
  }
}

function databaseFailure(error: unknown, { url, isEmbedded }: KnownDatabase): unknown {
  const { code } = error as { code?: unknown };
  if (code === '42P01' || code === '42883') {
    return new CliError('unreachable', `The database ${shownUrl(url)} holds no Portcullis yet`, {
      hint: isEmbedded
        ? 'Start portcullis up once: it makes the tables'
        : 'Run portcullis migrate: it makes the tables',
      cause: error,
    });
  }
  if (isStoreSlow(error) && !(error instanceof AppError)) {
    const slow = `The database ${shownUrl(url)} took too long: ${(error as Error).message}`;
    return new CliError('unreachable', slow, {
      hint: ERRORS.store_slow.hint,
      code: 'store_slow',
      cause: error,
    });
  }
  const why = whyAbsent(error);
  if (why === undefined) return error;
  return new CliError('unreachable', `The database ${shownUrl(url)} does not answer: ${why}`, {
    hint: isEmbedded
      ? 'It runs while portcullis up runs there. If the service is on another database, set DATABASE_URL'
      : 'Check DATABASE_URL, and that Postgres runs there',
    cause: error,
  });
}
