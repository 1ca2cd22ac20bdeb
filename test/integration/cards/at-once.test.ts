import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { revokeStandingApproval } from '../../../src/approvals/standing/end.ts';
import { listStandingApprovals } from '../../../src/approvals/standing/store.ts';
import { actionById } from '../../../src/records/action.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import {
  actorOf,
  approverActor,
  givenAsked,
  givenPendingAction,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { answer, givenPeople } from '../approvals/people.ts';

const KINDS = 6;
const ROUNDS = 4;
const ids = Array.from({ length: KINDS }, (_, n) => `S-${n}`);

describeWithServices('what changes several cards at once', (make) => {
  const deadlocksOf = async ({ db }: TestServices): Promise<number> => {
    const { rows } = await sql<{ n: number }>`
      SELECT pg_stat_force_next_flush(), deadlocks::int AS n FROM pg_stat_database
      WHERE datname = current_database()`.execute(db.sql);
    return rows[0]?.n ?? Number.NaN;
  };
  const givenStanding = async (services: TestServices, id: string) => {
    const action = await givenPendingAction(services, { args: { id }, subject: `guest of ${id}` });
    const standing = { envelope: `args.id == "${id}"`, maxUses: 100, forMs: 3_600_000 };
    await answer(services, action, 'ana', { standing });
    return action.id;
  };
  const quietly = (work: Promise<unknown>) =>
    work.catch((error: { code?: unknown }) => {
      if (error.code === '40P01') throw error;
    });

  test('a stop, an erasure and people, while the like is asked in batches: nobody waits in a circle', async () => {
    const services = await make();
    await givenPeople(services);
    const before = await deadlocksOf(services);
    for (let round = 0; round < ROUNDS; round++) {
      const given = [];
      for (const id of round % 2 === 0 ? ids : [...ids].reverse())
        given.push(await givenStanding(services, id));
      const live = await listStandingApprovals(services.db.sql, { live: true, limit: KINDS });
      const asks = (order: readonly string[]) =>
        Array.from({ length: 4 }, () =>
          Promise.all(order.map((id) => quietly(givenAsked(services, { args: { id } })))),
        );
      const stop = { scope: 'tool/desk/cancel', reads: false, reason: 'fire' };
      const erase = { agent: 'desk', subject: `guest of S-${round}`, reason: 'asked' };
      await Promise.all([
        ...asks(ids),
        ...asks([...ids].reverse()),
        quietly(
          revokeStandingApproval(services, approverActor('ben'), { id: live[2]?.id ?? '', reason: 'no' }),
        ),
        quietly(eraseSubject(services, actorOf('admin'), erase)),
        disable(services, onCallActor(), stop),
      ]);
      for (const id of given)
        expect(await actionById(services.db.sql, id)).toMatchObject({ card_version: expect.any(Number) });
      await enable(services, onCallActor(), { scope: stop.scope, reason: 'put out' });
    }
    expect(await deadlocksOf(services)).toBe(before);
  });

  test('each use of the like is one version more, whoever asks at the same moment', async () => {
    const services = await make();
    await givenPeople(services);
    const id = await givenStanding(services, 'S-0');
    const { card_version: before } = await actionById(services.db.sql, id);
    const asked = await Promise.all(
      Array.from({ length: 40 }, () => givenAsked(services, { args: { id: 'S-0' } })),
    );
    expect(asked.map(({ outcome }) => outcome)).toEqual(asked.map(() => 'allowed'));
    expect((await actionById(services.db.sql, id)).card_version).toBe(before + asked.length);
  });
});
