import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import type { Sql } from '../../../src/db/database.ts';
import { isGateBusy } from '../../../src/db/failure.ts';
import { actionById } from '../../../src/records/action.ts';
import { verifies } from '../../requirements.ts';
import { agentActor, givenAdopted, givenApprovedAction } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';

/** Runs `body` when a stop has done all it does and has not committed yet: nobody sees it. */
const whileStopping = ({ db, clock }: TestServices, body: () => Promise<void>): Promise<void> =>
  db.sql.transaction().execute(async (tx) => {
    await stopIn(tx, clock.now());
    await body();
  });
const stopIn = (tx: Sql, now: Date) =>
  sql`SELECT disable_switch('tool/desk/cancel', false, 'fire', 'cleo', ${now})`.execute(tx);

describeWithServices('a stop that is under way', (make) => {
  verifies(
    'never:write-after-stop',
    'lets nothing begin that was approved after it looked, nor once it is over',
    async () => {
      const services = await make();
      await givenAdopted(services);
      const begin = (id: string) => beginAction(services, agentActor(), { id, executionId: 'e' });
      const approved = await givenApprovedAction(services);
      const id = randomUUID();
      await whileStopping(services, async () => {
        // As no ask can any more: it waits for the stop.
        await sql`INSERT INTO action SELECT (jsonb_populate_record(a,
          jsonb_build_object('id', ${id}::text, 'idempotency_key', ${id}::text))).* FROM action a
          WHERE a.id = ${approved.id}`.execute(services.db.sql);
        await expect(begin(id)).rejects.toSatisfy(isGateBusy);
        expect(await actionById(services.db.sql, id)).toMatchObject({ state: 'approved', began_at: null });
      });
      await expect(begin(id)).rejects.toMatchObject({ code: 'stopped' });
    },
  );

  verifies('never:write-after-stop', 'lets no credential be stored for what had begun', async () => {
    const services = await make();
    await givenAdopted(services);
    const { db, clock } = services;
    const { id } = await givenApprovedAction(services);
    const begun = await sql<{
      status: string;
    }>`SELECT status FROM begin_action(${id}, 'desk', 'e', ${clock.now()},
      'agent', 5000, 120000)`.execute(db.gate);
    expect(begun.rows).toEqual([{ status: 'begun' }]);
    const store = () =>
      sql<{ ok: boolean }>`SELECT store_credential(${randomUUID()}, ${id}, 'e', ${clock.now()},
        ${new Date(clock.now().getTime() + 60_000)}) AS ok`.execute(db.gate);
    await whileStopping(services, async () => {
      await expect(store()).rejects.toSatisfy(isGateBusy);
    });
    expect((await store()).rows).toEqual([{ ok: false }]);
  });
});
