import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { Worlds } from '../../../src/enforcement/world.ts';
import { actionById, privateOf } from '../../../src/records/action.ts';
import type { Services } from '../../../src/services.ts';
import { verifies } from '../../requirements.ts';
import {
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenPendingAction,
  managerActor,
} from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { describeWithServices } from '../../support/services.ts';
import { approve, BANK_AGENT, codeOf, givenBank, stateOf } from './support.ts';

const SECRET = 'DE89-3704-0044';
const PAY = { tool: 'pay', args: { amount: 5, to: 'Mia', iban: SECRET } };

async function edit(
  services: Services,
  { id }: { id: string },
  person: string,
  args: Record<string, unknown>,
) {
  const { args_digest: digest, revision } = await actionById(services.db.sql, id);
  return editAction(services, approverActor(person), { id, args, digest, revision, reason: 'a typo' });
}

const begin = (services: Services, { id }: { id: string }, round?: number) =>
  beginAction(services, agentActor(), { id, executionId: 'e-1', ...(round === undefined ? {} : { round }) });

describeWithServices('editing what waits', (make) => {
  verifies(
    'never:unrecorded-write',
    'the count begins anew, the editor does not count, and the agent must know',
    async () => {
      const services = await make();
      await givenBank(services, '{ group: desk, quorum: 2 }'.replace('quorum: 2', 'quorum: 1'));
      const action = await givenPendingAction(services, PAY);
      const edited = await edit(services, action, 'ana', { amount: 4, to: 'Mia', iban: '[redacted]' });
      expect(edited).toMatchObject({ round: 1, revision: 2, summary: 'Pay 4 to Mia', state: 'pending' });
      expect(edited.args_digest).not.toBe(action.args_digest);
      const kept = await privateOf(services.db.sql, action.id);
      expect(JSON.parse(kept?.args ?? '')).toEqual({ amount: 4, to: 'Mia', iban: SECRET });
      expect(await codeOf(approve(services, action, 'ana'))).toBe('edited_it');
      expect(await codeOf(approve(services, action, 'ben', { digest: action.args_digest }))).toBe(
        'seen_outdated',
      );
      expect(await codeOf(approve(services, action, 'ben', { revision: 1 }))).toBe('seen_outdated');
      await approve(services, action, 'ben', { digest: edited.args_digest, revision: 2 });

      expect(await codeOf(begin(services, action))).toBe('args_changed');
      expect(await stateOf(services, action)).toBe('approved');
      const begun = await begin(services, action, 1);
      expect(begun.args).toEqual({ amount: 4, to: 'Mia', iban: SECRET });
    },
  );

  verifies('never:unrecorded-write', 'approvals of other arguments do not count after an edit', async () => {
    const services = await make();
    await givenBank(services, '{ groups: { desk: 1, legal: 1 } }');
    const action = await givenPendingAction(services, PAY);
    await approve(services, action, 'ana');
    await edit(services, action, 'cleo', { ...PAY.args, amount: 7 });
    await approve(services, action, 'ben');
    expect(await stateOf(services, action)).toBe('pending');
    await approve(services, action, 'ana');
    expect(await stateOf(services, action)).toBe('approved');
  });

  test('what schema or release refuse is refused, and nothing is changed', async () => {
    const services = await make();
    await givenBank(
      services,
      '{ group: desk, rules: [{ when: args.amount > 5000, answer: deny, reason: too much }] }',
    );
    const action = await givenPendingAction(services, PAY);
    const refusals: [Record<string, unknown>, RegExp][] = [
      [{ amount: '5', to: 'Mia' }, /do not fit the tool's schema/],
      [{ amount: 5 }, /do not fit/],
      [{ amount: 9_000, to: 'Mia', iban: '[redacted]' }, /the release refuses these arguments: too much/],
      [{ ...PAY.args, iban: '[redacted]' }, /nothing is different/],
      [{ amount: 5, to: '[redacted]', iban: '[redacted]' }, /redacted/],
    ];
    for (const [args, message] of refusals)
      await expect(edit(services, action, 'ana', args)).rejects.toThrow(message);
    expect(await codeOf(edit(services, action, 'olga', { ...PAY.args, amount: 4 }))).toBe('stands_behind');
    expect(await codeOf(edit(services, action, 'dan', { ...PAY.args, amount: 4 }))).toBe('not_in_group');
    expect(await actionById(services.db.sql, action.id)).toMatchObject({ round: 0, revision: 1 });
  });

  test('risk is computed again, and with it who may approve where', async () => {
    const services = await make();
    await givenBank(services, '{ group: desk, slackApproves: not-high }');
    const action = await givenPendingAction(services, PAY);
    expect(action.risk).toBe('low');
    expect(await edit(services, action, 'ana', { ...PAY.args, amount: 2_000 })).toMatchObject({
      risk: 'high',
    });
  });

  test('limits and credential are those of the grant that the new arguments fall under', async () => {
    const services = await make();
    const grant = (name: string, when: string, more: string) =>
      `  - { tool: cancel, name: ${name}, when: '${when}', approval: desk, ${more} }\n`;
    const releaseYaml = `agent: desk\nrelease: 1\ngrants:\n${grant('near', 'args.id == "a"', 'credential: { ttl: 60s }')}${grant('far', 'args.id != "a"', 'credential: { ttl: 5s }, limits: { perDay: 1 }')}`;
    await givenAdopted(services, { releaseYaml });
    const action = await givenPendingAction(services, { args: { id: 'a' } });
    expect(await edit(services, action, 'ana', { id: 'b' })).toMatchObject({
      grant_name: 'far',
      limits: { perDay: 1 },
      credential: { ttlMs: 5_000 },
    });
  });

  verifies('never:secret-leaks', 'a process that never asks edits by the manifest of now', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const slack = { ...services, worlds: new Worlds(services.db.sql) };
    await slack.worlds.get('desk');
    const hidden = BANK_AGENT.replace('redact: [iban]', 'redact: [iban, to]').replace(' to {to}', '');
    await applyAgent(services, managerActor(), agentFrom(hidden));
    const action = await givenPendingAction(services, PAY);
    const edited = await edit(slack, action, 'ana', { ...PAY.args, amount: 4, to: '[redacted]' });
    expect(edited.summary).toBe('Pay 4');
  });

  verifies('never:secret-leaks', 'neither the log nor a refusal names a redacted value', async () => {
    const services = await make();
    await givenBank(services, 'desk');
    const action = await givenPendingAction(services, PAY);
    await edit(services, action, 'ana', { amount: 4, to: 'Mia', iban: '[redacted]' });
    const bodies = await writtenLog(services.db.sql).select('body').execute();
    expect(JSON.stringify(bodies)).not.toContain(SECRET);
    const words = await edit(services, action, 'ana', { amount: 'x', to: SECRET, iban: SECRET }).catch(
      String,
    );
    expect(words).not.toContain(SECRET);
  });
});
