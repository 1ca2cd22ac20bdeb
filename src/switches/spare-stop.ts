import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database, OwnConnection } from '../db/database.ts';

const TRY_AGAIN_MS = 1_000;
/** Often enough that neither the pool nor what stands in between takes it for idle. */
const LOOK_EVERY_MS = 30_000;
/** One that was used knows the plans of its statements; one more for whoever stops while it is at work. */
const SPARES_MAX = 2;

/**
 * A store that has a connection for a stop open before it is needed: for when every other slot of the server is taken,
 * and without the time a login takes.
 */
export async function keepSpareStop(db: Database, log: Logger): Promise<Database> {
  const spares: OwnConnection[] = [];
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const keep = async (stop: OwnConnection): Promise<void> => {
    if (closed || spares.length >= SPARES_MAX || !(await stands(stop))) await stop.close().catch(() => {});
    else spares.push(stop);
  };
  const open = async (): Promise<void> => {
    clearTimeout(timer);
    try {
      await keep(await db.openStop());
      if (spares.length > 0 || closed) return;
    } catch (error) {
      log.warn({ err: error }, 'no connection for a stop is open ahead; it is tried again');
    }
    timer = setTimeout(() => void open(), TRY_AGAIN_MS).unref();
  };
  const look = async (): Promise<void> => {
    await Promise.all(spares.splice(0).map(keep));
    if (spares.length === 0 && !closed) await open();
  };
  /** The last one that was used; without one that stands another is opened. */
  const take = async (): Promise<OwnConnection> => {
    for (let spare = spares.pop(); spare; spare = spares.pop()) {
      if (await stands(spare)) return spare;
      await spare.close().catch(() => {});
    }
    return db.openStop();
  };

  await open();
  const looking = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  return {
    ...db,
    async openStop() {
      const taken = await take();
      if (spares.length === 0) void open();
      return { sql: taken.sql, close: () => keep(taken) };
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(looking);
      await Promise.all(spares.splice(0).map((spare) => spare.close()));
      await db.close();
    },
  };
}

async function stands(stop: OwnConnection): Promise<boolean> {
  try {
    await sql`SELECT 1`.execute(stop.sql);
    return true;
  } catch {
    return false;
  }
}
