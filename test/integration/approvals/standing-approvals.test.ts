import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { revokeStandingApproval, sweepStandingApprovals } from '../../../src/approvals/standing/end.ts';
import { listStandingApprovals } from '../../../src/approvals/standing/store.ts';
import { actionById } from '../../../src/records/action.ts';
import type { Services } from '../../../src/services.ts';
import { disable } from '../../../src/switches/disable.ts';
import { verifies } from '../../requirements.ts';
import {
  agentActor,
  agentFrom,
  approverActor,
  givenAsked,
  givenPendingAction,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { approve, BANK_AGENT, codeOf, givenBank, stateOf } from './support.ts';

const PAY = { tool: 'pay', args: { amount: 5, to: 'Mia' } };
const HOUR = { envelope: 'args.amount <= 5 && args.to == "Mia"', maxUses: 2, forMs: 3_600_000 };

const begin = (services: Services, { id }: { id: string }) =>
  beginAction(services, agentActor(), { id, executionId: 'e-1' });

async function givenStanding(services: Services, approval = 'desk', standing = HOUR): Promise<string> {
  await givenBank(services, approval);
  const action = await givenPendingAction(services, PAY);
  await approve(services, action, 'ana', { standing });
  const [one] = await listStandingApprovals(services.db.sql, { live: true, limit: 1 });
  if (!one) throw new Error('no standing approval');
  return one.id;
}

describeWithServices('standing approvals', (make) => {
  test('bounded by envelope, count and time', async () => {
    const services = await make();
    const id = await givenStanding(services);
    const outside = await givenAsked(services, { tool: 'pay', args: { amount: 6, to: 'Mia' } });
    expect(outside.outcome).toBe('pending');
    const { action } = await givenAsked(services, PAY);
    expect(action).toMatchObject({ state: 'approved', decided_by: 'person', standing_id: id });
    await begin(services, action);
    expect((await givenAsked(services, PAY)).outcome).toBe('allowed');
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
    const [spent] = await listStandingApprovals(services.db.sql, { live: false, limit: 1 });
    expect(spent).toMatchObject({ used: 2, ended_because: 'spent' });
  });

  test('over when its time is', async () => {
    const services = await make();
    await givenStanding(services);
    services.clock.advance(3_600_000);
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
    expect(await sweepStandingApprovals(services)).toBe(1);
    const [ended] = await listStandingApprovals(services.db.sql, { live: false, limit: 1 });
    expect(ended).toMatchObject({ ended_because: 'expired', used: 0 });
  });

  verifies(
    'never:unrecorded-write',
    'of twenty askers at once no more than its count get through',
    async () => {
      const services = await make();
      await givenStanding(services, 'desk', { ...HOUR, maxUses: 5 });
      const asked = await Promise.all(Array.from({ length: 20 }, () => givenAsked(services, PAY)));
      expect(asked.filter(({ outcome }) => outcome === 'allowed')).toHaveLength(5);
      expect(asked.filter(({ outcome }) => outcome === 'pending')).toHaveLength(15);
      const [one] = await listStandingApprovals(services.db.sql, { live: false, limit: 1 });
      expect(one).toMatchObject({ used: 5, ended_because: 'spent' });
    },
  );

  verifies('never:write-after-stop', 'a switch ends it, and what it let through does not begin', async () => {
    const services = await make();
    await givenStanding(services);
    const { action } = await givenAsked(services, PAY);
    await disable(services, onCallActor(), { scope: 'tool/desk/pay', reason: 'fire' });
    expect(await codeOf(begin(services, action))).not.toBe('none');
    const [one] = await listStandingApprovals(services.db.sql, { live: false, limit: 1 });
    expect(one).toMatchObject({ ended_because: 'switch' });
  });

  verifies('never:write-after-stop', 'taken back, nothing that it let through begins', async () => {
    const services = await make();
    const id = await givenStanding(services);
    const { action } = await givenAsked(services, PAY);
    await revokeStandingApproval(services, approverActor('ben'), { id, reason: 'enough' });
    await revokeStandingApproval(services, approverActor('ben'), { id, reason: 'enough' });
    expect(await codeOf(begin(services, action))).toBe('standing_approval_ended');
    expect(await stateOf(services, action)).toBe('superseded');
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
  });

  test('an incident, a rollback, a new step and a new release end it in their own transaction', async () => {
    const services = await make();
    const id = await givenStanding(services);
    const revive = () =>
      services.db.sql
        .updateTable('standing_approval')
        .set({ ended_at: null, ended_because: null })
        .where('id', '=', id)
        .execute();
    const because = async () =>
      (await listStandingApprovals(services.db.sql, { live: false, limit: 1 }))[0]?.ended_because;
    const at = services.clock.now();
    await services.db.sql
      .insertInto('incident')
      .values({ id: 'i-1', agent: 'desk', title: 't', opened_at: at, opened_by: 'ana', evidence: '{}' })
      .execute();
    expect(await because()).toBe('incident');
    await revive();
    await services.db.sql
      .insertInto('release')
      .values({ agent: 'desk', version: '2', manifest: '{}', digest: 'd', created_at: at, created_by: 'x' })
      .execute();
    await services.db.sql.updateTable('in_force').set({ release: '2' }).where('agent', '=', 'desk').execute();
    expect(await because()).toBe('new_release');
  });

  test('its signers are looked at again: who left the group signs nothing', async () => {
    const services = await make();
    await givenStanding(services);
    const { action } = await givenAsked(services, PAY);
    const without = BANK_AGENT.replace('desk: [ana, ben, olga]', 'desk: [ben, olga]');
    await applyAgent(services, managerActor(), agentFrom(without));
    expect(await codeOf(begin(services, action))).toBe('approver_lost_standing');
    expect((await givenAsked(services, PAY)).outcome).toBe('pending');
  });

  test('what is riskier is not the like of it, whatever the envelope says', async () => {
    const services = await make();
    const wide = { ...HOUR, maxUses: 5, envelope: 'args.amount <= 9000 && args.to == "Mia"' };
    await givenStanding(services, '{ group: desk, slackApproves: not-high }', wide);
    const high = await givenAsked(services, { tool: 'pay', args: { amount: 5_000, to: 'Mia' } });
    expect([high.action.risk, high.outcome]).toEqual(['high', 'pending']);
    expect((await givenAsked(services, { tool: 'pay', args: { amount: 900, to: 'Mia' } })).outcome).toBe(
      'allowed',
    );
  });

  test('goes with approving together: not with a denial, and not with a broken glass', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, breakGlass: emergency }');
    const action = await givenPendingAction(services, PAY);
    const glass = { breakGlass: true, reason: 'the bank burns', standing: HOUR };
    expect(await codeOf(approve(services, action, 'eve', glass))).toBe('invalid_input');
    expect(await codeOf(approve(services, action, 'ana', { verdict: 'deny', standing: HOUR }))).toBe(
      'invalid_input',
    );
    expect(await stateOf(services, action)).toBe('pending');
  });

  test('a quorum must agree to it, and who answered before it was wished is asked no less', async () => {
    const services = await make();
    await givenBank(services, '{ groups: { desk: 1, legal: 1 } }');
    const action = await givenPendingAction(services, PAY);
    const seen = { digest: action.args_digest, revision: action.revision };
    await approve(services, action, 'ana', { ...seen, standing: HOUR });
    expect(await listStandingApprovals(services.db.sql, { live: true, limit: 1 })).toEqual([]);
    // What cleo saw before the wish, or does not say she saw, approves nothing of it.
    expect(await codeOf(approve(services, action, 'cleo', seen))).toBe('seen_outdated');
    expect(await codeOf(approve(services, action, 'cleo'))).toBe('seen_outdated');
    const { revision } = await actionById(services.db.sql, action.id);
    await approve(services, action, 'cleo', { ...seen, revision });
    expect(await listStandingApprovals(services.db.sql, { live: true, limit: 1 })).toHaveLength(1);

    const late = await givenPendingAction(services, { tool: 'pay', args: { amount: 50, to: 'Mia' } });
    await approve(services, late, 'ana');
    expect(
      await codeOf(approve(services, late, 'cleo', { standing: { ...HOUR, envelope: 'args.amount <= 50' } })),
    ).toBe('wrong_state');
  });

  test('refused where the release marks the tool, and for an envelope that says nothing', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const wire = await givenPendingAction(services, { tool: 'wire', args: { amount: 5 } });
    expect(
      await codeOf(approve(services, wire, 'ana', { standing: { ...HOUR, envelope: 'args.amount <= 5' } })),
    ).toBe('standing_forbidden');
    const action = await givenPendingAction(services, PAY);
    for (const envelope of ['', 'true', 'args.amount > 5', 'args.nothing == 1', 'args.iban == "x"', '1 == 1'])
      expect(
        await codeOf(approve(services, action, 'ana', { standing: { ...HOUR, envelope } })),
        envelope,
      ).toBe('invalid_input');
    for (const more of [{ maxUses: 0 }, { maxUses: 101 }, { forMs: 1_000 }, { forMs: 25 * 3_600_000 }])
      expect(await codeOf(approve(services, action, 'ana', { standing: { ...HOUR, ...more } }))).toBe(
        'invalid_input',
      );
    expect(await stateOf(services, action)).toBe('pending');
  });
});
