import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { completeAction } from '../../../src/actions/complete.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { isStoreDown } from '../../../src/db/failure.ts';
import { raiseAlert } from '../../../src/records/alert.ts';
import { AskWriter } from '../../../src/records/ask-writer.ts';
import { dispatchOutbox } from '../../../src/temporal/dispatch.ts';
import { verifies } from '../../requirements.ts';
import { agentActor, givenAdopted, givenAsked, givenPendingAction } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { approve, begin, givenExposed, row } from './support.ts';

/** How often the workflow of an action is to be told, so far. */
const toldOf = async ({ db }: TestServices, { id }: { id: string }): Promise<number> =>
  (
    await db.sql
      .selectFrom('outbox')
      .select('id')
      .where('topic', '=', 'action')
      .where('key', '=', id)
      .execute()
  ).length;

describeWithServices('what becomes of a write', (make) => {
  verifies(
    'never:acknowledged-lost',
    'is kept for its workflow at every step, in the transaction of the step',
    async () => {
      const services = await make();
      await givenAdopted(services);
      const action = await givenPendingAction(services);
      const told = [await toldOf(services, action)];
      await approve(services, action);
      told.push(await toldOf(services, action));
      await begin(services, action);
      told.push(await toldOf(services, action));
      await completeAction(services, agentActor(), { id: action.id, executionId: 'e-1', ok: true });
      told.push(await toldOf(services, action));
      expect(told).toEqual([1, 2, 3, 4]);
      const withdrawn = await givenPendingAction(services);
      await withdrawAction(services, agentActor(), { id: withdrawn.id });
      expect(await toldOf(services, withdrawn)).toBe(2);
    },
  );

  verifies(
    'never:acknowledged-lost',
    'that the policy allowed is told once nobody knows what became of it, and nothing of a read is',
    async () => {
      const services = await make();
      await givenExposed(services);
      const { action: read } = await givenAsked(services, { tool: 'lookup', args: {} });
      expect(await toldOf(services, read)).toBe(0);
      const { action: write } = await givenAsked(services);
      expect(write).toMatchObject({ decided_by: 'policy', state: 'approved' });
      await begin(services, write);
      expect(await toldOf(services, write)).toBe(0);
      services.clock.advance(services.dayMs);
      await sweepActions(services);
      expect((await row(services, write)).state).toBe('unknown');
      expect(await toldOf(services, write)).toBe(1);
    },
  );

  verifies(
    'never:acknowledged-lost',
    'stays in the outbox until Temporal took it, and is told then',
    async () => {
      const services = await make();
      await givenAdopted(services);
      const action = await givenPendingAction(services);
      const taken: string[] = [];
      const clientWhere = (takes: boolean) =>
        ({
          workflow: {
            signalWithStart: async (_: string, { workflowId }: { workflowId: string }) => {
              if (!takes) throw new Error('unavailable');
              taken.push(workflowId);
            },
          },
        }) as unknown as Client;
      await expect(dispatchOutbox(services, clientWhere(false), { queue: () => 'q' })).rejects.toThrow(
        'unavailable',
      );
      expect(await toldOf(services, action)).toBe(1);
      await services.db.sql
        .updateTable('outbox')
        .set({ not_before: new Date(0) })
        .execute();
      await dispatchOutbox(services, clientWhere(true), { queue: () => 'q' });
      expect(taken).toContain(`action/${action.id}`);
      expect(await toldOf(services, action)).toBe(0);
    },
  );

  test('an alert is told in the first pass, however much of something else waits and is not taken', async () => {
    const services = await make();
    await givenAdopted(services);
    const callbacks = Array.from({ length: 500 }, (_, n) => ({
      topic: 'callback' as const,
      key: `none/${n}`,
      payload: '{}',
    }));
    await services.db.sql.deleteFrom('outbox').execute();
    await services.db.sql.insertInto('outbox').values(callbacks).execute();
    const alert = await raiseAlert(services.db.sql, 'rollout.gate', 'desk', services.clock.now(), {});
    const taken: string[] = [];
    const client = {
      workflow: {
        start: () => Promise.reject(new Error('unavailable')),
        signalWithStart: async (_: string, { workflowId, taskQueue }: Record<string, string>) =>
          taken.push(`${workflowId} in ${taskQueue}`),
      },
    } as unknown as Client;
    expect(await dispatchOutbox(services, client)).toBe(1);
    expect(taken).toEqual([`alert/${alert} in portcullis-alerts`]);
  });

  verifies('never:acknowledged-lost', 'is answered only once the store has it', async () => {
    const services = await make();
    await givenAdopted(services);
    await givenPendingAction(services);
    const gone = await openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', poolSize: 1 });
    const asks = new AskWriter(gone.sql, services.clock);
    asks.subject = (agent, subject) => services.asks.subject(agent, subject);
    await expect(givenAsked({ ...services, asks })).rejects.toSatisfy(isStoreDown);
    await gone.close();
  });
});
