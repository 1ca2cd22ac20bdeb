import { sql } from 'kysely';
import type { Logger } from 'pino';
import { type Loop, startLoop } from '../loop.ts';
import type { Database, Sql } from './database.ts';
import type { Session } from './session.ts';

/** Advisory locks of the work that one process at a time does; those of SQL are in its functions, each with a number of its own. */
export const LOCKS = {
  judge: 727_003,
  dispatcher: 727_004,
  sweeper: 727_005,
  groups: 727_006,
  autonomy: 727_007,
  stops: 727_011,
  reconciler: 727_012,
  retention: 727_014,
  erasures: 727_016,
  sources: 727_021,
  arms: 727_022,
  learning: 727_026,
  reviews: 727_030,
} as const;

/** Work that one process at a time does. */
export type Exclusive = keyof typeof LOCKS;

/** How soon another process takes up what was let go of, and no sooner than the work itself repeats. */
const TRY_EVERY_MS = 1_000;

/** What its holder is given: everything asked of `db` fails once another process may have taken over. */
export interface Held {
  db: Database;
  /**
   * Before something leaves the process by another way than `db`.
   * @throws Error this process stood still, and another may have taken over
   */
  assertHeld(): Promise<void>;
}

/**
 * Repeats `work` in one process of the installation at a time. Whoever holds it keeps it until it stops, dies or stands
 * still for `SILENT_MAX_MS`: then the server ends the session, which is both the lock and the only way by which `work`
 * writes. So a holder that was stopped and goes on after another took over writes nothing.
 */
export function startExclusive(
  { db, log }: { db: Database; log: Logger },
  name: Exclusive,
  everyMs: number,
  work: (held: Held) => Promise<unknown>,
): Loop {
  let session: Session | undefined;
  let holds = false;
  let triedMs = -TRY_EVERY_MS;
  const letGo = async () => {
    const old = session;
    [session, holds] = [undefined, false];
    await old?.close();
  };
  const pass = async () => {
    if (session && !(await session.stands())) await letGo();
    if (!holds) {
      if (performance.now() - triedMs < TRY_EVERY_MS) return;
      triedMs = performance.now();
      session ??= await db.openSession(name);
      holds = await tryLock(session.sql, LOCKS[name]);
      if (!holds) return;
      log.debug({ loop: name }, 'this process does it from now on');
    }
    const held = session as Session;
    await work({
      db: { ...db, sql: held.sql, gate: held.sql },
      async assertHeld() {
        if (!(await held.stands()))
          throw new Error(`${name}: this process stood still, another may have taken over`);
      },
    });
  };
  const loop = startLoop(name, everyMs, pass, log);
  return {
    wake: loop.wake,
    async stop() {
      await loop.stop();
      await letGo();
    },
  };
}

async function tryLock(db: Sql, lock: number): Promise<boolean> {
  const { rows } = await sql<{ got: boolean }>`SELECT pg_try_advisory_lock(${lock}) AS got`.execute(db);
  return rows[0]?.got ?? false;
}

/** Which exclusive work some process does now, and which one: its host and process id. */
export async function holders(db: Sql): Promise<Partial<Record<Exclusive, string>>> {
  const { rows } = await sql<{ lock: number; session: string }>`
    SELECT l.objid::int AS lock, split_part(a.application_name, ' ', 3) AS session
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 0 AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.objid::bigint = ANY (${Object.values(LOCKS)})`.execute(db);
  const byLock = new Map(rows.map(({ lock, session }) => [lock, session]));
  return Object.fromEntries(
    Object.entries(LOCKS).flatMap(([name, lock]) => {
      const session = byLock.get(lock);
      return session === undefined ? [] : [[name, session]];
    }),
  );
}
