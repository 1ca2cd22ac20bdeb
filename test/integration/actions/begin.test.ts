import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import type { Actor } from '../../../src/actor.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { issueCredential } from '../../../src/credentials/issue.ts';
import { type ActionRow, privateOf } from '../../../src/records/action.ts';
import { adoptRelease } from '../../../src/releases/adopt.ts';
import { pullSwitch } from '../../../src/switches/disable.ts';
import { verifies } from '../../requirements.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenApprovedAction,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  givenRelease,
  managerActor,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { createTestServices, describeWithServices } from '../../support/services.ts';
import {
  approve,
  begin,
  credentialsOf,
  entries,
  expectNotBegun,
  givenApprovedIn,
  givenExposed,
  row,
  sharedDesk,
  whileStopped,
} from './support.ts';

const HOUR_MS = 3_600_000;

describeWithServices('beginAction()', (make) => {
  const givenDesk = sharedDesk(make);

  verifies(
    'never:unrecorded-write',
    'begins nothing that is not approved for these arguments, once, by its own agent',
    async () => {
      const services = await givenDesk();
      const pending = await givenPendingAction(services);
      const denied = await givenPendingAction(services);
      await answerAction(services, approverActor(), { id: denied.id, verdict: 'deny' });
      const { action: refused } = await givenAsked(services, { tool: 'nothing' });
      const withdrawn = await givenApprovedAction(services);
      await withdrawAction(services, agentActor(), { id: withdrawn.id });
      const { action: read } = await givenAsked(services, { tool: 'lookup', args: {} });
      const approved = await givenApprovedAction(services, { args: { id: 'R-1' } });
      const otherArgs = await givenPendingAction(services, { args: { id: 'R-2' } });
      const other = agentActor({ agent: 'other' });
      const cases: [ActionRow, string, Actor?][] = [
        [pending, 'not_approved'],
        [denied, 'not_approved'],
        [refused, 'not_approved'],
        [withdrawn, 'not_approved'],
        [read, 'not_approved'],
        [otherArgs, 'not_approved'],
        [approved, 'not_found', other],
      ];
      for (const [action, code, actor] of cases) {
        await expect(begin(services, action, 'e-1', actor)).rejects.toMatchObject({ code });
        await expectNotBegun(services, action);
      }
      await expect(begin(services, { id: crypto.randomUUID() })).rejects.toMatchObject({ code: 'not_found' });
      const { rows } = await sql<{ status: string }>`
        SELECT status FROM begin_action(${approved.id}, 'other', 'e', ${services.clock.now()}, 'x', 5000, 5000)`.execute(
        services.db.gate,
      );
      expect(rows).toMatchObject([{ status: 'unknown_action' }]);
      expect(read.state).toBe('approved');

      const begun = await begin(services, approved);
      expect(decodeJwt(begun.credential?.token ?? '')).toMatchObject({
        action: approved.id,
        args_digest: approved.args_digest,
        tool: 'cancel',
      });
      await expect(begin(services, approved, 'e-2')).rejects.toMatchObject({ code: 'already_begun' });
      expect(await entries(services, approved.id, 'action.begun')).toHaveLength(1);
    },
  );

  verifies('never:unrecorded-write', 'an approval that has expired begins nothing', async () => {
    const services = await givenDesk();
    const [late, swept] = [await givenApprovedAction(services), await givenApprovedAction(services)];
    services.clock.advance(HOUR_MS + 1);
    await expect(begin(services, late)).rejects.toMatchObject({ code: 'too_late' });
    expect(await row(services, late)).toMatchObject({ state: 'expired' });
    await sweepActions(services);
    await expect(begin(services, swept)).rejects.toMatchObject({ code: 'not_approved' });
    await expectNotBegun(services, late);
    await expectNotBegun(services, swept);
  });

  test('the same execution gets a new credential until startBy, and the one before is revoked', async () => {
    const services = await givenDesk();
    const action = await givenApprovedAction(services);
    const first = await begin(services, action);
    services.clock.advance(5_000);
    const second = await begin(services, action);
    expect(second.credential?.jti).not.toBe(first.credential?.jti);
    expect(await credentialsOf(services, action)).toMatchObject([
      { jti: first.credential?.jti, revoked_at: expect.any(Date) },
      { jti: second.credential?.jti, revoked_at: null },
    ]);
    services.clock.advance(1);
    await expect(begin(services, action)).rejects.toMatchObject({ code: 'too_late' });
    await expect(begin(services, action, 'e-2')).rejects.toMatchObject({ code: 'already_begun' });
    expect(await credentialsOf(services, action)).toHaveLength(2);
  });

  verifies(
    'never:decision-without-standing',
    'an approval whose approver was removed before the begin is worth nothing',
    async () => {
      const services = await make();
      await givenAdopted(services);
      const action = await givenApprovedAction(services);
      const kept = await givenPendingAction(services);
      await approve(services, kept, 'ben');
      await applyAgent(services, managerActor(), agentFrom(AGENT_YAML.replace('[ana, ben]', '[ben]')));
      await expect(begin(services, action)).rejects.toMatchObject({ code: 'stopped' });
      expect(await row(services, action)).toMatchObject({
        state: 'superseded',
        superseded_because: 'approver_lost_standing',
      });
      await expectNotBegun(services, action);
      expect((await begin(services, kept)).action.state).toBe('executing');
    },
  );

  test('a release that only takes away voids what was approved under the one before', async () => {
    const services = await make();
    const { agent } = await givenAdopted(services);
    const action = await givenApprovedAction(services);
    const less = RELEASE_YAML.replace('release: 1', 'release: 2').replace(/ {2}- \{ tool: refund.*\n/, '');
    await givenRelease(services, agent, less);
    await adoptRelease(services, managerActor(), { agent: 'desk', version: '2', reason: 'less' });
    await expect(begin(services, action)).rejects.toMatchObject({ code: 'not_approved' });
    expect(await row(services, action)).toMatchObject({
      state: 'superseded',
      superseded_because: 'new_release',
    });
  });

  verifies(
    'never:write-after-stop',
    'what a stop did not see (approved while it was under way) is refused by what is in force',
    async () => {
      const services = await make();
      const { rollout } = await givenExposed(services);
      const { sql: db } = services.db;
      const ask = async (subject: string, tier = 'gold') =>
        (await givenAsked(services, { subject }, agentActor({ attributes: { tier } }))).action;
      const [candidate, control] = [await ask('a'), await givenApprovedIn(services, 'silver')];
      expect(candidate).toMatchObject({ arm: 'candidate', state: 'approved', release: '2' });
      expect(control).toMatchObject({ arm: 'control', segment: 'default', release: '1' });
      const disabled = await givenApprovedIn(services, 'gold', 'refund');
      // As a stop would, without voiding anything.
      await db
        .updateTable('rollout_segment')
        .set({ generation: 2 })
        .where('rollout_id', '=', rollout)
        .where('segment', '=', 'gold')
        .execute();
      await db.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'default').execute();
      await sql`INSERT INTO switch (scope, disabled, reason, actor, changed_at, epoch)
        VALUES ('tool/desk/refund', true, 'fire', 'cleo', ${services.clock.now()}, 1)`.execute(db);
      for (const [action, because, state] of [
        [candidate, 'rolled_back', 'superseded'],
        [control, 'new_release', 'superseded'],
        [disabled, 'disabled', 'disabled'],
      ] as const) {
        await expect(begin(services, action)).rejects.toMatchObject({
          code: 'stopped',
          details: { because },
        });
        expect(await row(services, action)).toMatchObject({ state });
        await expectNotBegun(services, action);
      }
    },
  );

  verifies(
    'never:write-after-stop',
    'a stop between begin and credential: no token is given out',
    async () => {
      const services = await givenDesk();
      const { id } = await givenApprovedAction(services);
      await sql`SELECT begin_action(${id}, 'desk', 'e-1', ${services.clock.now()}, 'x', 5000, 5000)`.execute(
        services.db.gate,
      );
      const salt = Buffer.from((await privateOf(services.db.sql, id))?.salt ?? '');
      const begun = await row(services, { id });
      await whileStopped(services, async () => {
        expect(await issueCredential(services, begun, salt)).toBeUndefined();
      });
      expect(await row(services, begun)).toMatchObject({
        state: 'failed',
        error_code: 'stopped_before_credential',
      });
      expect(await credentialsOf(services, begun)).toMatchObject([{ revoked_at: expect.any(Date) }]);
      expect(await entries(services, id, 'credential.refused')).toHaveLength(1);
      await expect(begin(services, begun)).rejects.toMatchObject({ code: 'already_begun' });
    },
  );

  test('a second credential refused by a stop leaves open what the first one may have done', async () => {
    const services = await givenDesk();
    const action = await givenBegunAction(services);
    const salt = Buffer.from((await privateOf(services.db.sql, action.id))?.salt ?? '');
    await whileStopped(services, async () => {
      expect(await issueCredential(services, action, salt)).toBeUndefined();
    });
    expect(await row(services, action)).toMatchObject({ state: 'executing' });
    const credentials = await credentialsOf(services, action);
    expect(credentials.map(({ revoked_at }) => revoked_at !== null)).toEqual([true, true]);
  });

  verifies(
    'never:write-after-stop',
    'the same execution gets no second credential after a stop',
    async () => {
      const services = await givenDesk();
      const action = await givenBegunAction(services);
      await whileStopped(services, () =>
        expect(begin(services, action)).rejects.toMatchObject({
          code: 'stopped',
          details: { because: 'disabled' },
        }),
      );
      // Enabled again: what had been decided before the stop stays stopped.
      await expect(begin(services, action)).rejects.toMatchObject({ code: 'stopped' });
    },
  );
});

test('a stop between the two transactions of a begin is a 409 without a token', async () => {
  const services = await createTestServices();
  await givenAdopted(services);
  const action = await givenApprovedAction(services);
  let stopped = false;
  const gate = services.db.gate.withPlugin({
    transformQuery: ({ node }) => node,
    async transformResult({ result }) {
      if (!stopped) {
        stopped = true;
        await pullSwitch(services, 'cleo', { scope: 'everything', reason: 'fire' });
      }
      return result;
    },
  });
  const refusal = await begin({ ...services, db: { ...services.db, gate } }, action).catch((error) => error);
  expect(refusal).toMatchObject({ code: 'stopped', spec: { http: 409 } });
  expect(JSON.stringify(refusal)).not.toMatch(/eyJ/);
  expect(await row(services, action)).toMatchObject({ state: 'failed' });
  expect(await credentialsOf(services, action)).toMatchObject([{ revoked_at: expect.any(Date) }]);
  await services.close();
});
