import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { migrate } from '../../../src/db/migrate.ts';
import { hasCurrentCode } from '../../../src/db/stored-code.ts';
import { openOldStore } from '../../support/old-store.ts';

test('migrations take as long as they take, on a connection of their own', async () => {
  const { db, close } = await openOldStore('0002-approvals');
  const settings = async (own: { sql: typeof db.sql }) =>
    (
      await sql`SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
        current_setting('application_name') AS name`.execute(own.sql)
    ).rows[0];
  const own = await db.openMigration();
  const name = 'portcullis migration';
  expect(await settings(own)).toEqual({ statement: '0', lock: '0', name });
  expect(await settings(db)).toMatchObject({ statement: '15s' });
  await own.close();

  let migrating: Promise<void> | undefined;
  await db.gate.transaction().execute(async (tx) => {
    await sql`SET LOCAL idle_in_transaction_session_timeout = 0`.execute(tx);
    await sql`LOCK TABLE action IN ACCESS SHARE MODE`.execute(tx);
    migrating = migrate(db);
    const waiting = sql<{ name: string }>`SELECT application_name AS name FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await expect.poll(async () => (await waiting.execute(db.sql)).rows).toEqual([{ name }]);
  });
  await migrating;
  expect(await hasCurrentCode(db.sql)).toBe(true);
  await close();
});
