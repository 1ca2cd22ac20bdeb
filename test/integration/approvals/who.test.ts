import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
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

describeWithServices('who decides', (make) => {
  test('several groups each with its own count, and one person in two of them counts once', async () => {
    const services = await make();
    await givenBank(services, '{ groups: { desk: 1, legal: 1 } }');
    const first = await givenPendingAction(services, PAY);
    await approve(services, first, 'ben');
    expect(await stateOf(services, first)).toBe('pending');
    expect(await codeOf(approve(services, first, 'ben'))).toBe('none');
    expect(await stateOf(services, first)).toBe('pending');
    // Ben now stands for legal, because Ana can only stand for the desk.
    await approve(services, first, 'ana');
    expect(await stateOf(services, first)).toBe('approved');

    const second = await givenPendingAction(services, PAY);
    await approve(services, second, 'ana');
    await approve(services, second, 'cleo');
    expect(await stateOf(services, second)).toBe('approved');
    const decisions = await services.db.sql
      .selectFrom('decision')
      .select(['person', 'slot', 'grp'])
      .where('action_id', '=', second.id)
      .orderBy('person')
      .execute();
    expect(decisions).toEqual([
      { person: 'ana', slot: '0/desk', grp: 'desk' },
      { person: 'cleo', slot: '0/legal', grp: 'legal' },
    ]);
  });

  test('stages are answered in their order, by people who answered no other', async () => {
    const services = await make();
    await givenBank(services, '{ stages: [{ group: desk }, { groups: { legal: 1, leads: 1 } }] }');
    const action = await givenPendingAction(services, PAY);
    expect(await codeOf(approve(services, action, 'dan'))).toBe('not_this_stage');
    await approve(services, action, 'ben');
    expect(await stateOf(services, action)).toBe('pending');
    expect(await codeOf(approve(services, action, 'ben'))).toBe('none');
    await approve(services, action, 'dan');
    expect(await stateOf(services, action)).toBe('pending');
    await approve(services, action, 'cleo');
    expect(await stateOf(services, action)).toBe('approved');
    await begin(services, action);
  });

  test('whoever may answer in any stage may deny at once', async () => {
    const services = await make();
    await givenBank(services, '{ stages: [{ group: desk, quorum: 2 }, { group: leads }] }');
    const action = await givenPendingAction(services, PAY);
    await deny(services, action, 'dan', 'not this customer');
    expect(await stateOf(services, action)).toBe('denied');
  });

  verifies(
    'never:decision-without-standing',
    'nobody approves for themselves, however they are named, nor for what they own or deploy',
    async () => {
      const services = await make();
      await givenBank(services, 'desk');
      for (const behind of [
        ['ana'],
        ['ANA@bank.test'],
        ['U0ANA'],
        ['u0ana/t0bank'],
        ['<@U0ANA>'],
        ['<@U0ANA|ana>'],
        ['T0BANK/U0ANA'],
        ['@ana'],
        ['mailto:Ana@bank.test'],
        ['mia', 'ana'],
      ]) {
        const action = await givenPendingAction(services, { ...PAY, behind });
        expect(await codeOf(approve(services, action, 'ana'))).toBe('requester');
      }
      const action = await givenPendingAction(services, PAY);
      expect(await codeOf(approve(services, action, 'olga'))).toBe('stands_behind');
      expect(await codeOf(approve(services, action, 'dora'))).toBe('stands_behind');
      expect(await codeOf(approve(services, action, 'dan'))).toBe('not_in_group');
      expect(await codeOf(approve(services, action, 'mallory'))).toBe('unknown_person');
      expect(await stateOf(services, action)).toBe('pending');
      const asked = await givenPendingAction(services, PAY);
      await services.db.sql
        .updateTable('action')
        .set({ asked_by: 'ana' })
        .where('id', '=', asked.id)
        .execute();
      expect(await codeOf(approve(services, asked, 'ana'))).toBe('requester');
    },
  );

  verifies(
    'never:decision-without-standing',
    'what was approved does not begin once an approver left the group, became an owner, or was taken off',
    async () => {
      const services = await make();
      await givenBank(services, '{ groups: { desk: 1, legal: 1 } }');
      const changes: [string, (yaml: string) => string][] = [
        ['left the group', (yaml) => yaml.replace('legal: [ben, cleo]', 'legal: [ben]')],
        [
          'left it for another one',
          (yaml) =>
            yaml
              .replace('desk: [ana, ben, olga]', 'desk: [ben, cleo]')
              .replace('legal: [ben, cleo]', 'legal: [ben, ana]'),
        ],
        ['became an owner', (yaml) => yaml.replace('owners: [olga]', 'owners: [olga, cleo]')],
        ['deploys it now', (yaml) => yaml.replace('deployers: [dora]', 'deployers: [dora, cleo]')],
        [
          'is who asked, as it turns out',
          (yaml) => yaml.replace('cleo: {}', 'cleo: { email: mia@bank.test }'),
        ],
      ];
      for (const [what, change] of changes) {
        const action = await givenPendingAction(services, { ...PAY, behind: ['Mia@bank.test'] });
        await approve(services, action, 'ana');
        await approve(services, action, 'cleo');
        await applyAgent(services, managerActor(), agentFrom(change(BANK_AGENT)));
        expect(await codeOf(begin(services, action)), what).toBe('approver_lost_standing');
        expect(await stateOf(services, action)).toBe('superseded');
        await applyAgent(services, managerActor(), agentFrom(BANK_AGENT));
      }
    },
  );

  test('high risk may be kept out of Slack, but not its denial', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, slackApproves: not-high }');
    const inSlack = { ...approverActor('ana'), via: 'slack' as const };
    const { answerAction } = await import('../../../src/approvals/answer.ts');
    const high = await givenPendingAction(services, { ...PAY, args: { amount: 5_000, to: 'Mia' } });
    const low = await givenPendingAction(services, PAY);
    expect([high.risk, low.risk]).toEqual(['high', 'low']);
    expect(await codeOf(answerAction(services, inSlack, { id: high.id, verdict: 'approve' }))).toBe(
      'not_from_slack',
    );
    await answerAction(services, inSlack, { id: low.id, verdict: 'approve' });
    await answerAction(services, inSlack, { id: high.id, verdict: 'deny' });
    expect([await stateOf(services, high), await stateOf(services, low)]).toEqual(['denied', 'approved']);
  });

  test('a reason is asked for where the release wants one', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, reason: required }');
    const action = await givenPendingAction(services, PAY);
    expect(await codeOf(approve(services, action, 'ana'))).toBe('reason_needed');
    expect(await codeOf(approve(services, action, 'ana', { reason: '  ' }))).toBe('reason_needed');
    await approve(services, action, 'ana', { reason: 'the customer called' });
    expect(await stateOf(services, action)).toBe('approved');
  });

  test('breaking the glass takes one of its group, a reason, and is told to everybody on call', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, quorum: 2, breakGlass: emergency }');
    const action = await givenPendingAction(services, PAY);
    const glass = { breakGlass: true, reason: 'payments are stuck' };
    expect(await codeOf(approve(services, action, 'eve', { breakGlass: true }))).toBe('reason_needed');
    expect(await codeOf(approve(services, action, 'ana', glass))).toBe('not_in_group');
    expect(await codeOf(approve(services, action, 'eve', { ...glass, verdict: 'deny' }))).toBe(
      'invalid_input',
    );
    await approve(services, action, 'eve', glass);
    expect(await stateOf(services, action)).toBe('approved');
    const alerts = await services.db.sql
      .selectFrom('alert')
      .select('facts')
      .where('kind', '=', 'action.break_glass')
      .execute();
    expect(alerts).toMatchObject([
      { facts: { person: 'eve', reason: 'payments are stuck', action: action.id } },
    ]);
    await begin(services, action);
    const lost = await givenPendingAction(services, PAY);
    await approve(services, lost, 'eve', glass);
    await applyAgent(
      services,
      managerActor(),
      agentFrom(BANK_AGENT.replace('emergency: [eve]', 'emergency: [dan]')),
    );
    expect(await codeOf(begin(services, lost))).toBe('approver_lost_standing');
  });
});
