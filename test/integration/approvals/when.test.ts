import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { lockedAction } from '../../../src/records/action.ts';
import type { Services } from '../../../src/services.ts';
import { verifies } from '../../requirements.ts';
import {
  agentActor,
  agentFrom,
  approverActor,
  givenPendingAction,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { approve, BANK_AGENT, codeOf, deny, givenBank, stateOf } from './support.ts';

const PAY = { tool: 'pay', args: { amount: 5, to: 'Mia' } };
const begin = (services: Services, { id }: { id: string }) =>
  beginAction(services, agentActor(), { id, executionId: 'e-1' });

const laterThan = (at: Date) => (ms: number) => new Date(at.getTime() + ms);

/** The members of the live group "desk" were read now. */
const givenRead = ({ db, clock }: Services, kind: string, fresh_until: Date) =>
  db.sql
    .insertInto('group_source')
    .values({
      agent: 'desk',
      grp: 'desk',
      kind,
      fetched_at: clock.now(),
      fresh_until,
      error: null,
      unknown: '[]',
    })
    .execute();

describeWithServices('who is in a group when', (make) => {
  verifies(
    'never:decision-without-standing',
    'a group whose members could not be read for too long counts nobody, and what it approved waits',
    async () => {
      const services = await make();
      await givenBank(services, 'desk');
      const live = BANK_AGENT.replace('desk: [ana, ben, olga]', 'desk: { slackGroup: S0DESK }');
      await applyAgent(services, managerActor(), agentFrom(live));
      const later = laterThan(services.clock.now());
      const action = await givenPendingAction(services, PAY);
      expect(await codeOf(approve(services, action, 'ana'))).toBe('group_stale');
      await givenRead(services, 'slack', later(60_000));
      expect(await codeOf(approve(services, action, 'ana'))).toBe('not_in_group');
      await services.db.sql
        .insertInto('agent_approver')
        .values({ agent: 'desk', grp: 'desk', person: 'ana', via: 'slack' })
        .execute();
      await approve(services, action, 'ana');
      services.clock.advance(61_000);
      expect(await codeOf(begin(services, action))).toBe('group_stale');
      expect(await stateOf(services, action)).toBe('approved');
      await services.db.sql
        .updateTable('group_source')
        .set({ fresh_until: later(3_600_000) })
        .execute();
      await begin(services, action);
    },
  );

  verifies(
    'never:decision-without-standing',
    'whoever was on call when deciding stands, after the shift too; a shift that was never theirs does not',
    async () => {
      const services = await make();
      await givenBank(services, 'desk');
      const live = BANK_AGENT.replace('desk: [ana, ben, olga]', 'desk: { schedule: { pagerduty: P1 } }');
      await applyAgent(services, managerActor(), agentFrom(live));
      const later = laterThan(services.clock.now());
      await givenRead(services, 'pagerduty', later(7_200_000));
      const shift = { agent: 'desk', grp: 'desk', via: 'pagerduty' };
      await services.db.sql
        .insertInto('agent_approver')
        .values([
          { ...shift, person: 'ana', from_at: later(-3_600_000), until_at: later(60_000) },
          { ...shift, person: 'ben', from_at: later(60_000), until_at: later(7_200_000) },
        ])
        .execute();
      const [first, second] = [
        await givenPendingAction(services, PAY),
        await givenPendingAction(services, PAY),
      ];
      expect(await codeOf(approve(services, first, 'ben'))).toBe('not_in_group');
      await approve(services, first, 'ana');
      await approve(services, second, 'ana');
      services.clock.advance(120_000);
      await begin(services, first);
      await services.db.sql.deleteFrom('agent_approver').where('person', '=', 'ana').execute();
      expect(await codeOf(begin(services, second))).toBe('approver_lost_standing');
    },
  );

  verifies(
    'never:decision-without-standing',
    'what a deputy approved does not begin once the lender owns the agent, read as a member or not',
    async () => {
      const services = await make();
      await givenBank(services, 'desk');
      const live = BANK_AGENT.replace('desk: [ana, ben, olga]', 'desk: { slackGroup: S0DESK }');
      await applyAgent(services, managerActor(), agentFrom(live));
      const later = laterThan(services.clock.now());
      await givenRead(services, 'slack', later(3_600_000));
      await services.db.sql
        .insertInto('agent_approver')
        .values({ agent: 'desk', grp: 'desk', person: 'ana', via: 'slack' })
        .execute();
      const lent = { agent: 'desk', to: 'dan', endsAt: later(3_600_000), reason: 'away' };
      await createDeputy(services, approverActor('ana'), lent);
      const action = await givenPendingAction(services, PAY);
      await approve(services, action, 'dan');
      expect(await stateOf(services, action)).toBe('approved');
      await applyAgent(services, managerActor(), agentFrom(live.replace('owners: [olga]', 'owners: [ana]')));
      expect(await codeOf(begin(services, action))).toBe('approver_lost_standing');
      expect(await stateOf(services, action)).toBe('superseded');
    },
  );

  test('whoever waited for others to be done is judged by what they are then', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const action = await givenPendingAction(services, PAY);
    const until_at = new Date(services.clock.now().getTime() + 60_000);
    await services.db.sql
      .updateTable('agent_approver')
      .set({ until_at })
      .where('person', '=', 'ana')
      .execute();
    let answered: Promise<string> | undefined;
    await services.db.sql.transaction().execute(async (tx) => {
      await lockedAction(tx, action.id);
      answered = codeOf(deny(services, action, 'ana'));
      const waits = sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
          AND wait_event_type = 'Lock' AND query LIKE '%action_to_decide%'`;
      await expect.poll(async () => (await waits.execute(services.db.sql)).rows.length).toBe(1);
      services.clock.advance(120_000);
    });
    expect(await answered).toBe('not_in_group');
  });
});
