import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { beginAction } from '../../src/actions/begin.ts';
import { editAction } from '../../src/actions/edit.ts';
import { actionById } from '../../src/actions/store.ts';
import { withdrawAction } from '../../src/actions/withdraw.ts';
import { applyAgent } from '../../src/agents/apply.ts';
import { listStandingApprovals } from '../../src/approvals/standing-approvals.ts';
import { earnedCounts } from '../../src/autonomy/evidence.ts';
import { agentActor, agentFrom, approverActor, givenAdopted, givenAsked, givenPendingAction, managerActor, actorOf } from '../support/fixtures.ts';
import { describeBothStores, createTestServices } from '../support/services.ts';
import { Worlds } from '../../src/agents/world.ts';
import { approve, BANK_AGENT, codeOf, givenBank, stateOf } from './approvals/support.ts';

const PAY = { tool: 'pay', args: { amount: 5, to: 'Mia' } };
const HOUR = { envelope: 'args.amount <= 5 && args.to == "Mia"', maxUses: 2, forMs: 3_600_000 };

describeBothStores('review', (make) => {
  test('B who saw the card before the wish must not start it', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, quorum: 2 }', '').catch(() => givenBank(services, '{ groups: { desk: 1, legal: 1 } }'));
    const action = await givenPendingAction(services, PAY);
    const seen = { digest: action.args_digest, revision: action.revision };
    await approve(services, action, 'ana', { ...seen, standing: HOUR });
    expect(await codeOf(approve(services, action, 'ben', seen))).toBe('seen_outdated');
  });

  test('a standing approval of a low risk does not cover high risk', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, slackApproves: not-high }');
    const action = await givenPendingAction(services, PAY);
    expect(action.risk).toBe('low');
    await approve(services, action, 'ana', { standing: { ...HOUR, envelope: 'args.amount <= 100000 && args.to == "Mia"' } });
    const high = await givenAsked(services, { tool: 'pay', args: { amount: 5000, to: 'Mia' } });
    expect([high.action.risk, high.outcome]).toEqual(['high', 'pending']);
  });

  test('break-glass with a standing wish', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, breakGlass: emergency }');
    const action = await givenPendingAction(services, PAY);
    const code = await codeOf(approve(services, action, 'eve', { breakGlass: true, reason: 'x', standing: HOUR }));
    console.log('break-glass + standing:', code);
    expect(await listStandingApprovals(services.db.sql, { live: false, limit: 9 })).toEqual([]);
    expect(code).not.toBe('none');
  });

  test('edit into another grant takes its limits and credential', async () => {
    const services = await make();
    const releaseYaml = `agent: desk
release: 1
grants:
  - { tool: cancel, name: small, when: 'args.id == "a"', approval: desk, credential: { scopes: ["order:cancel"], ttl: 60s } }
  - { tool: cancel, name: big, when: 'args.id != "a"', approval: desk, credential: { scopes: ["order:cancel"], ttl: 5s }, limits: { perDay: 1 } }
`;
    await givenAdopted(services, { releaseYaml });
    const action = await givenPendingAction(services, { args: { id: 'a' } });
    await editAction(services, approverActor('ana'), { id: action.id, args: { id: 'b' }, digest: action.args_digest, revision: action.revision });
    const now = await actionById(services.db.sql, action.id);
    expect(now.grant_name).toBe('big');
    expect(now.limits).toEqual({ perDay: 1 });
    expect(now.credential?.ttlMs).toBe(5000);
  });

  test('edited then withdrawn is evidence against it', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const action = await givenPendingAction(services, PAY);
    await editAction(services, approverActor('ana'), { id: action.id, args: { amount: 4, to: 'Mia' }, digest: action.args_digest, revision: action.revision });
    await withdrawAction(services, agentActor(), { id: action.id });
    const counts = await earnedCounts(services.db.sql, { agent: 'desk', release: '1', grant: 'pay-1', tool: 'pay' }, services.clock.now());
    expect(counts).toMatchObject([{ bad: 1, decided: 0 }]);
  });

  test('standing approval of somebody who left asks people again', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const action = await givenPendingAction(services, PAY);
    await approve(services, action, 'ana', { standing: HOUR });
    await applyAgent(services, managerActor(), agentFrom(BANK_AGENT.replace('desk: [ana, ben, olga]', 'desk: [ben, olga]')));
    const asked = await givenAsked(services, PAY);
    expect(asked.outcome).toBe('pending');
  });

  test('edit by a process whose world is old', async () => {
    const services = await make();
    const other = { ...services, worlds: new Worlds(services.db.sql) };
    await givenBank(services, 'desk');
    await other.worlds.get('desk');
    // the manifest redacts one more, and takes another schema
    await applyAgent(services, managerActor(), agentFrom(BANK_AGENT.replace('redact: [iban]', 'redact: [iban, to]')));
    const action = await givenPendingAction(services, { tool: 'pay', args: { amount: 5, to: 'SECRET' } });
    expect(action.summary).not.toContain('SECRET');
    await editAction(other, approverActor('ana'), { id: action.id, args: { amount: 4, to: '[redacted]' }, digest: action.args_digest, revision: action.revision })
      .catch((e) => console.log(String(e)));
    await editAction(other, approverActor('ana'), { id: action.id, args: { amount: 4, to: 'SECRET' }, digest: action.args_digest, revision: action.revision })
      .catch((e) => console.log(String(e)));
    expect((await actionById(services.db.sql, action.id)).summary).not.toContain('SECRET');
    expect((await actionById(services.db.sql, action.id)).round).toBe(1);
  });

  test('deputy whose lender became an owner', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const at = services.clock.now();
    await services.db.sql.insertInto('deputy').values({ id: '00000000-0000-4000-8000-000000000001', agent: 'desk', from_person: 'ana', to_person: 'dan', grp: null, starts_at: at, ends_at: new Date(at.getTime() + 9e6), reason: 'r', created_at: at, created_by: 'ana' }).execute();
    const action = await givenPendingAction(services, PAY);
    await approve(services, action, 'dan');
    expect(await stateOf(services, action)).toBe('approved');
    await applyAgent(services, managerActor(), agentFrom(BANK_AGENT.replace('deployers: [dora]', 'deployers: [dora, ana]')));
    console.log('lender now a deployer:', await codeOf(beginAction(services, agentActor(), { id: action.id, executionId: 'e' })));
  });

  test('requester spelt as Slack writes a mention', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    for (const behind of ['<@U0ANA>', '<@U0ANA|ana>', 'T0BANK/U0ANA', 'mailto:ana@bank.test', ' ANA@bank.test', '@ana', 'U0ANA/T0BANK']) {
      const action = await givenPendingAction(services, { ...PAY, behind: [behind] });
      console.log(behind, await codeOf(approve(services, action, 'ana')));
    }
  });
});
