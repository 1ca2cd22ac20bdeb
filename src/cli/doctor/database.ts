import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import { openDatabase } from '../../db/database.ts';
import { shownUrl } from '../../db/shown-url.ts';
import { hasCodeChanges, readStoreState } from '../../db/store-state.ts';
import { unsequencedTail } from '../../log/sequence.ts';
import { listDisabled } from '../../switches/list.ts';
import type { KnownDatabase } from '../direct.ts';
import { formatDuration } from '../text/format.ts';
import { type Check, fail, ok, warn, wordsOf } from './check.ts';
import { tailCheck } from './service.ts';
import { offCheck } from './switched-off.ts';

const CLOCK_WARN_MS = 2_000;
const CLOCK_FAIL_MS = 60_000;

/** Postgres: whether it answers, is of this version, agrees on the time, and keeps a stop through a failover. */
export async function checkDatabase(known: KnownDatabase): Promise<Check[]> {
  const db = await openDatabase({ url: known.url, poolSize: 1 });
  try {
    const checks = [await checkReachable(db.sql, known)];
    if (checks[0]?.state !== 'ok') return checks;
    checks.push(await checkClock(db.sql), await checkStandby(db.sql, known));
    const migrated = await checkMigrated(db.sql, known);
    checks.push(migrated);
    if (migrated.state === 'ok') {
      checks.push(tailCheck(await unsequencedTail(db.sql)));
      for (const row of await listDisabled(db.sql))
        checks.push(offCheck({ ...row, changedAt: row.changed_at.toISOString() }));
    }
    return checks;
  } finally {
    await db.close();
  }
}

async function checkReachable(db: Sql, { url, by, isEmbedded }: KnownDatabase): Promise<Check> {
  try {
    const { rows } = await sql<{
      version: string;
    }>`SELECT current_setting('server_version') AS version`.execute(db);
    const where = `${shownUrl(url)}${isEmbedded ? `, ${by}` : ''}`;
    return ok('database', `Postgres ${rows[0]?.version.split(' ')[0]} at ${where}`);
  } catch (error) {
    if (isEmbedded) return warn('database', `${by} does not run`, 'It runs with the service: portcullis up');
    const detail = `${shownUrl(url)} does not answer: ${wordsOf(error)}`;
    return fail('database', detail, 'Check DATABASE_URL, and that Postgres runs there');
  }
}

/** Deadlines go by the database's clock, credentials are checked by others on theirs. */
async function checkClock(db: Sql): Promise<Check> {
  const sent = Date.now();
  const { rows } = await sql<{ now: Date }>`SELECT clock_timestamp() AS now`.execute(db);
  const offMs = Math.abs((rows[0]?.now.getTime() ?? 0) - (sent + Date.now()) / 2);
  const detail = `this machine and the database differ by ${formatDuration(offMs)}`;
  if (offMs < CLOCK_WARN_MS) return ok('clock', detail);
  const mend = 'Let both machines follow a time server (NTP)';
  return offMs < CLOCK_FAIL_MS ? warn('clock', detail, mend) : fail('clock', detail, mend);
}

async function checkStandby(db: Sql, { isEmbedded }: KnownDatabase): Promise<Check> {
  const { rows } = await sql<{ names: string }>`
    SELECT current_setting('synchronous_standby_names') AS names`.execute(db);
  if (rows[0]?.names) return ok('failover', `synchronous standby: ${rows[0].names}`);
  const detail = 'not failover-safe: a disable could be lost with this server';
  const mend = 'Give Postgres a synchronous standby (synchronous_standby_names)';
  return warn('failover', detail, isEmbedded ? 'Set DATABASE_URL to a Postgres with a standby' : mend);
}

async function checkMigrated(db: Sql, { isEmbedded }: KnownDatabase): Promise<Check> {
  const name = 'schema';
  const mend = isEmbedded
    ? 'Start portcullis up of this version: it brings its store along'
    : 'Run portcullis migrate';
  const { applied, pending, unknown, code } = await readStoreState(db);
  if (applied.length === 0) return fail(name, 'the database holds no Portcullis yet', mend);
  const lacking = pending.map((step) => step.name);
  if (lacking.length > 0) return fail(name, `lacks ${lacking.join(', ')}`, mend);
  const same = 'Bring this installation to the same version';
  if (unknown.length > 0) return warn(name, `is newer than this CLI (${unknown.join(', ')})`, same);
  if (!hasCodeChanges(code)) return ok(name, `at ${applied.at(-1)?.name}`);
  return warn(name, 'holds the functions of another version than this CLI', same);
}
