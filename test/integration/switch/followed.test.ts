import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { actionById } from '../../../src/records/action.ts';
import { pullSwitch } from '../../../src/switches/disable.ts';
import { givenAdopted, givenPendingAction } from '../../support/fixtures.ts';
import { createStore, servicesAt } from '../../support/services.ts';

/** As many as the switch's own process has. */
const POOL_SIZE = 2;
const FREE_WITHIN_MS = 1_000;
const SOON_MS = 2_500;

test('whoever holds what waited is ended as who holds the gate is, and the next stop has its connections', async () => {
  const url = await createStore();
  const services = await servicesAt(url);
  const db = await openDatabase({ url, poolSize: POOL_SIZE });
  await givenAdopted(services);
  const { id } = await givenPendingAction(services);
  // A process that stands still in the midst of something.
  const held = await services.db.sql.startTransaction().execute();
  try {
    await held.selectFrom('action').select('id').where('id', '=', id).forUpdate().execute();
    const pull = () =>
      pullSwitch({ db, clock: services.clock }, 'cleo', { scope: 'agent/desk', reason: 'storm' });
    const startedAt = performance.now();
    const first = await pull();
    expect(first).toMatchObject({ state: 'closed', voided: 1, heldBy: [{ pid: expect.any(Number) }] });
    expect(performance.now() - startedAt).toBeLessThan(SOON_MS);
    expect(await actionById(db.sql, id)).toMatchObject({ state: 'disabled' });
    for (let n = 0; n < POOL_SIZE; n++) expect(await pull()).toMatchObject({ state: 'closed', heldBy: [] });
    const asked = sql`SELECT 1`.execute(db.sql).then(() => 'answered');
    expect(await Promise.race([asked, sleep(FREE_WITHIN_MS, 'waits')])).toBe('answered');
  } finally {
    await held
      .rollback()
      .execute()
      .catch(() => {});
    await db.close();
    await services.close();
  }
});
