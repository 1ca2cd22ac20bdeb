import { expect } from 'vitest';
import type { Actor } from '../../../src/actor.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { verifies } from '../../requirements.ts';
import {
  AGENT_YAML,
  actorOf,
  agentFrom,
  approverActor,
  givenPendingAction,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { approve, entries, row, sharedDesk } from '../actions/support.ts';

describeWithServices('answerAction()', (make) => {
  const givenDesk = sharedDesk(make);

  verifies(
    'never:decision-twice',
    'the same click delivered twenty times at once counts once, and a quorum of two needs two',
    async () => {
      const services = await givenDesk();
      const refund = { tool: 'refund', args: { amount: 5 } };
      const action = await givenPendingAction(services, refund);
      const clicks = await Promise.all(
        Array.from({ length: 20 }, () => approve(services, action).then(({ counted }) => counted)),
      );
      expect(clicks.filter(Boolean)).toHaveLength(1);
      expect(await row(services, action)).toMatchObject({ state: 'pending' });
      // Who approved may still stop it, and then it is stopped.
      const denied = await answerAction(services, approverActor(), { id: action.id, verdict: 'deny' });
      expect(denied).toMatchObject({ counted: true, action: { state: 'denied' } });
      await expect(approve(services, action)).rejects.toMatchObject({ code: 'already_decided' });

      for (let round = 0; round < 10; round++) {
        const raced = await givenPendingAction(services, refund);
        const both = await Promise.all(
          ['ana', 'ben', 'ana', 'ben'].map((person) =>
            approve(services, raced, person).then(({ counted }) => counted),
          ),
        );
        expect(both.filter(Boolean)).toHaveLength(2);
        expect(await row(services, raced)).toMatchObject({ state: 'approved', revision: 2 });
        expect(await entries(services, raced.id, 'action.decision')).toHaveLength(1);
        expect(await entries(services, raced.id, 'action.approved')).toHaveLength(1);
      }
    },
  );

  verifies('never:decision-twice', 'of approve and deny at once exactly one ends the action', async () => {
    const services = await givenDesk();
    for (let round = 0; round < 10; round++) {
      const action = await givenPendingAction(services);
      const answers = await Promise.allSettled([
        approve(services, action, 'ana'),
        answerAction(services, approverActor('ben'), { id: action.id, verdict: 'deny' }),
      ]);
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const decisions = await services.db.sql
        .selectFrom('decision')
        .select('verdict')
        .where('action_id', '=', action.id)
        .execute();
      expect(decisions).toHaveLength(1);
    }
  });

  verifies('never:decision-without-standing', 'who may not decide changes nothing', async () => {
    const services = await givenDesk();
    const action = await givenPendingAction(services, { behind: ['ben'] });
    const asApprover = (person: string) => actorOf('approver', { person });
    const cases: [Actor, string][] = [
      [asApprover('mia'), 'not_eligible'],
      [asApprover('cleo'), 'not_eligible'],
      [asApprover('olga'), 'not_eligible'],
      [asApprover('ben'), 'not_eligible'],
      [actorOf('approver'), 'not_eligible'],
      [actorOf(['release-manager', 'on-call', 'admin', 'auditor', 'agent'], { person: 'ana' }), 'forbidden'],
      [actorOf('approver', { person: 'ana', agent: 'other' }), 'not_found'],
    ];
    for (const [actor, code] of cases) {
      for (const verdict of ['approve', 'deny'] as const) {
        await expect(answerAction(services, actor, { id: action.id, verdict })).rejects.toMatchObject({
          code,
        });
      }
    }
    const seen = { id: action.id, verdict: 'approve' as const };
    for (const more of [{ digest: 'other' }, { revision: 7 }]) {
      await expect(answerAction(services, approverActor(), { ...seen, ...more })).rejects.toMatchObject({
        code: 'seen_outdated',
      });
    }
    await applyAgent(services, managerActor(), agentFrom(AGENT_YAML.replace('[ana, ben]', '[ben]')));
    await expect(answerAction(services, approverActor(), seen)).rejects.toMatchObject({
      code: 'not_eligible',
    });
    expect(await row(services, action)).toMatchObject({ state: 'pending', revision: 1 });
    const decisions = services.db.sql.selectFrom('decision').selectAll().where('action_id', '=', action.id);
    expect(await decisions.execute()).toEqual([]);
  });
});
