import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { Cli } from './cli.ts';
import { CliError } from './failure.ts';

const POOL_SIZE = 2;

/** The database itself, for the few commands that must work without the service. */
export interface Direct {
  db: Database;
  clock: Clock;
  /** Who acts: the account of this machine. */
  actor: string;
}

/**
 * Opens `DATABASE_URL` for one use.
 * @throws CliError `usage` when it is not set, `unreachable` when it does not answer
 */
export async function inDatabase<T>(
  { io }: Pick<Cli, 'io'>,
  absent: { message: string; hint: string },
  use: (direct: Direct) => Promise<T>,
): Promise<T> {
  // Not by readConfig: a wrong variable somewhere else must not keep anybody from the switch.
  const databaseUrl = io.env.DATABASE_URL;
  if (!databaseUrl) throw new CliError('usage', absent.message, { hint: absent.hint });
  const { openDatabase } = await import('../db/database.ts');
  const { DatabaseClock } = await import('../db/clock.ts');
  const db = await openDatabase({ url: databaseUrl, poolSize: POOL_SIZE });
  let clock: Awaited<ReturnType<typeof DatabaseClock.start>> | undefined;
  try {
    clock = await DatabaseClock.start(db.sql);
    return await use({ db, clock, actor: `cli ${io.user}` });
  } catch (error) {
    throw databaseFailure(error, databaseUrl);
  } finally {
    clock?.stop();
    await db.close();
  }
}

/** The address without its password. */
export function shownUrl(databaseUrl: string): string {
  try {
    const { hostname, port, pathname } = new URL(databaseUrl);
    return `${hostname}:${port || '5432'}${pathname}`;
  } catch {
    return 'DATABASE_URL';
  }
}

function databaseFailure(error: unknown, databaseUrl: string): unknown {
  const { code } = error as { code?: unknown };
  if (code === '42P01' || code === '42883') {
    return new CliError('unreachable', `The database ${shownUrl(databaseUrl)} holds no Portcullis yet`, {
      hint: 'Start portcullis up once: it makes the tables',
      cause: error,
    });
  }
  const refusedLogin = code === '28P01' || code === '28000' || code === '3D000';
  const network = typeof code === 'string' && /^E[A-Z]+$/.test(code);
  const late = error instanceof Error && /timeout/.test(error.message);
  if (!refusedLogin && !network && !late) return error;
  const why = error instanceof Error && error.message !== '' ? error.message : String(code);
  return new CliError('unreachable', `The database ${shownUrl(databaseUrl)} does not answer: ${why}`, {
    hint: 'Check DATABASE_URL, and that Postgres runs there',
    cause: error,
  });
}
