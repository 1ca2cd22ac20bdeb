import { sql } from 'kysely';
import { expect, test } from 'vitest';
import type { Actor } from '../../../src/actor.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { verifies } from '../../requirements.ts';
import {
  AGENT_YAML,
  actorOf,
  agentFrom,
  approverActor,
  givenAdopted,
  givenPendingAction,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { approve, begin, entries, row, sharedDesk } from '../actions/support.ts';

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

  test('an approval leaves time to begin, however late it came; a denial moves no time', async () => {
    const services = await make();
    await givenAdopted(services);
    const [late, early, denied] = [
      await givenPendingAction(services),
      await givenPendingAction(services),
      await givenPendingAction(services),
    ];
    await approve(services, early);
    expect((await row(services, early)).expires_at).toEqual(early.expires_at);
    services.clock.advance(3_600_000 - 1);
    await approve(services, late);
    const { expires_at } = await row(services, late);
    expect(expires_at?.getTime()).toBe(services.clock.now().getTime() + 60_000);
    services.clock.advance(60_000);
    expect((await begin(services, late)).credential).toBeDefined();
    await expect(
      answerAction(services, approverActor(), { id: denied.id, verdict: 'deny' }),
    ).rejects.toMatchObject({ code: 'not_pending' });
    const other = await givenPendingAction(services);
    services.clock.advance(3_600_000 - 1);
    await answerAction(services, approverActor(), { id: other.id, verdict: 'deny' });
    expect((await row(services, other)).expires_at).toEqual(other.expires_at);
  });

  test('whoever answers from Slack is the person of that account', async () => {
    const services = await make();
    const accounts = AGENT_YAML.replace('ana: { name: Ana }', 'ana: { name: Ana, slack: U0ANA/T0X }').replace(
      'ben: { name: Ben }',
      'ben: { name: Ben, slack: U0BEN/T0X }',
    );
    await givenAdopted(services, { agentYaml: accounts });
    const action = await givenPendingAction(services);
    const asks = async (person: string, slack: string) => {
      const { rows } = await sql<{
        people: string[];
      }>`SELECT ARRAY(SELECT m ->> 'person' FROM jsonb_array_elements(members)
        m ORDER BY 1) AS people FROM action_to_decide(${action.id}, ${person}, ${slack}, '', 1)`.execute(
        services.db.sql,
      );
      return rows[0]?.people;
    };
    expect(await asks('', 'U0ANA/T0X')).toEqual(['ana']);
    expect(await asks('', 'U0BEN/T0X')).toEqual(['ben']);
    expect(await asks('', 'U0NOBODY/T0X')).toEqual([]);
    expect(await asks('ben', '')).toEqual(['ben']);
  });
});
