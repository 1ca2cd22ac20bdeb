import { beforeAll, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { reviewBreakGlass } from '../../../src/approvals/review.ts';
import { revokeStandingApproval } from '../../../src/approvals/standing/end.ts';
import { listStandingApprovals } from '../../../src/approvals/standing/store.ts';
import { actionCard } from '../../../src/cards/action-card.ts';
import { visibleText } from '../../../src/cards/blocks/visible.ts';
import { cardVersion, readCardFacts } from '../../../src/cards/card-facts.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import {
  actorOf,
  approverActor,
  givenAsked,
  givenPendingAction,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { answer, execute, givenBrokenGlass, givenPeople, givenRefund } from '../approvals/people.ts';

describeWithServices('what a card shows of the record', (make) => {
  let services: TestServices;
  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
  });

  const shown = async ({ id }: Pick<ActionRow, 'id'>) =>
    visibleText(actionCard(await readCardFacts(services, id)));
  const lines = async (action: Pick<ActionRow, 'id'>) => (await shown(action)).split('\n');
  /** Does something that the card must follow, and answers the card as it is then. */
  const after = async (action: Pick<ActionRow, 'id'>, work: () => Promise<unknown>) => {
    const before = await cardVersion(services.db.sql, action.id);
    await work();
    expect(await cardVersion(services.db.sql, action.id)).toBeGreaterThan(before);
    return shown(action);
  };
  const edit = async ({ id }: Pick<ActionRow, 'id'>, args: Record<string, unknown>, reason?: string) => {
    const { args_digest: digest, revision } = await actionById(services.db.sql, id);
    return editAction(services, approverActor('ana'), {
      id,
      args,
      digest,
      revision,
      ...(reason ? { reason } : {}),
    });
  };
  const tick = () => services.clock.advance(1_000);

  test('the last like it: none, one with other arguments, the same, one that was wrong, none that was erased', async () => {
    const first = await givenPendingAction(services, {
      args: { id: 'A', note: 'x', card: '1' },
      subject: 'ada',
    });
    expect(await shown(first)).toContain('*First of its kind:*');
    await answer(services, first, 'ana');
    await execute(services, first);
    tick();
    const other = await givenPendingAction(services, { args: { id: 'B', card: '2' } });
    expect(await shown(other)).toContain(
      [
        `*Different from the last one like it (http://portcullis.test/actions/${first.id})* (executed 2026`,
      ].join('\n'),
    );
    expect(await lines(other)).toEqual(
      expect.arrayContaining([
        '• changed card: "[redacted]" → "[redacted]"',
        '• changed id: "A" → "B"',
        '• gone note: "x"',
      ]),
    );
    const same = await givenPendingAction(services, { args: { id: 'A', note: 'x', card: '1' } });
    expect(await shown(same)).toContain('*Same arguments* as the last one like it');
    await correctAction(services, approverActor('ben'), { id: first.id, reason: 'Wrong guest' });
    expect(await shown(same)).toContain('*reported as wrong*');
    // What was decided after it was asked does not change what it is compared with.
    tick();
    await answer(services, other, 'ana');
    expect(await shown(same)).toContain(`actions/${first.id}`);
    await eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'ada', reason: 'asked' });
    expect(await shown(same)).toContain('*First of its kind:*');
  });

  test('another segment is another kind', async () => {
    const gold = await givenPendingAction(services);
    await answer(services, gold, 'ana');
    tick();
    const { action } = await givenAsked(services, {}, actorOf('agent', { agent: 'desk', attributes: {} }));
    expect(await shown(action)).toContain('*First of its kind:*');
  });

  test('an edit: who, why, what it changed, and that earlier approvals do not count', async () => {
    const action = await givenRefund(services);
    await answer(services, action, 'ben');
    const text = await after(action, () => edit(action, { amount: 3 }, 'Half of it was used'));
    for (const line of [
      /^\*Edited\* by ana 2026.* \(api\): “Half of it was used”$/m,
      /^1 approval of the arguments before that do not count any more$/m,
      /^Against what the agent asked:\n• changed amount: 5 → 3$/m,
      /^\*Decision:\* Stage 1 of 2: waiting for 2 of desk \(ben\)/m,
    ])
      expect(text).toMatch(line);
    await edit(action, { amount: 5 });
    expect(await shown(action)).toContain('The arguments are what the agent asked for again');
  });

  test('stages: what is missing, who may still answer, for whom, and that nobody answers twice', async () => {
    const endsAt = new Date(services.clock.now().getTime() + 7_200_000);
    const away = { agent: 'desk', to: 'dave', endsAt, reason: 'Away' };
    await createDeputy(services, approverActor('ana'), away);
    const action = await givenRefund(services);
    expect(await shown(action)).toContain('Stage 1 of 2: waiting for 2 of desk (ana, ben, dave for ana)');
    const one = await after(action, () => answer(services, action, 'dave'));
    expect(one).toContain('Stage 1 of 2: waiting for 1 of desk (ben). Approved by dave for ana');
    tick();
    const two = await after(action, () => answer(services, action, 'ben', { reason: 'Checked' }));
    expect(two).toMatch(
      /Stage 2 of 2: waiting for 1 of legal \(eve\)\. Approved by dave for ana of desk .*, ben of desk .* “Checked”/,
    );
    expect(await after(action, () => answer(services, action, 'eve'))).toContain('eve of legal');
  });

  test('a standing approval: with every use of it, until it ends; what ran by it names it', async () => {
    const action = await givenPendingAction(services, { args: { id: 'S-1' } });
    expect(await shown(action)).toContain('[Approve the like for a while]');
    const standing = { envelope: 'args.id == "S-1"', maxUses: 5, forMs: 3_600_000 };
    const given = await after(action, () => answer(services, action, 'ana', { standing }));
    expect(given).toContain('*The like of it was approved too*, by ana: used 0 of 5, until');
    let ran: ActionRow | undefined;
    const used = await after(action, async () => {
      ran = (await givenAsked(services, { args: { id: 'S-1' } })).action;
    });
    expect(used).toContain('used 1 of 5');
    expect(await shown(ran as ActionRow)).toContain(
      `Approved beforehand by ana: a standing approval, given with another action (http://portcullis.test/actions/${action.id})`,
    );
    const [live] = await listStandingApprovals(services.db.sql, { live: true, limit: 1 });
    const end = { id: live?.id ?? '', reason: 'enough' };
    const ended = await after(action, () => revokeStandingApproval(services, approverActor('ben'), end));
    expect(ended).toMatch(/used 1 of 5\. \*Ended\* 2026.*, because it was taken back by ben/);
  });

  test('a broken glass is loud until it is reviewed, and then says what was found', async () => {
    const action = await givenBrokenGlass(services);
    const [first, ...rest] = await lines(action);
    expect(first).toBe('EMERGENCY: approved by one person alone');
    expect(rest.join('\n')).toMatch(/Approved by finn 2026.* ALONE, breaking the glass: The hotel burns/);
    expect(rest.join('\n')).toContain('*Review:* not reviewed yet');
    const review = { id: action.id, justified: true, note: 'It did burn' };
    const text = await after(action, () => reviewBreakGlass(services, managerActor(), review));
    expect(text).toMatch(/\*Review:\* justified, by olga 2026.*: It did burn/);
  });

  test('others that wait and are like it can be answered together', async () => {
    const fresh = await make();
    await givenPeople(fresh);
    for (let n = 0; n < 3; n++) await givenPendingAction(fresh, { args: { id: `R-${n}` } });
    await givenRefund(fresh);
    const one = await givenPendingAction(fresh);
    expect((await readCardFacts(fresh, one.id)).alike).toBe(3);
  });
});
