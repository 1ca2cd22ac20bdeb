import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createRolloutActivities } from '../../../activities/rollouts.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { decideAction } from '../../../src/actions/decide.ts';
import { type ActionRow, actionById, privateOf } from '../../../src/actions/store.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import type { Actor, Services } from '../../../src/context.ts';
import { issueCredential } from '../../../src/credentials/issue.ts';
import { adoptRelease } from '../../../src/releases/adopt.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { completeRollout, enterStep, lockBaseline } from '../../../src/rollouts/moves.ts';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { startRollout } from '../../../src/rollouts/start.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { disable, pullSwitch } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { verifies } from '../../requirements.ts';
import {
  AGENT_YAML,
  actorOf,
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
  onCallActor,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import {
  createTestServices,
  describeBothStores,
  type MakeServices,
  type TestServices,
} from '../../support/services.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const begin = (services: Services, { id }: { id: string }, executionId = 'e-1', actor = agentActor()) =>
  beginAction(services, actor, { id, executionId });

const approve = (services: Services, { id }: { id: string }, person = 'ana') =>
  decideAction(services, approverActor(person), { id, verdict: 'approve' });

const stop = (services: Services, scope: string) =>
  disable(services, onCallActor(), { scope, reason: 'fire' });

const row = (services: Services, { id }: { id: string }) => actionById(services.db.sql, id);

async function entries(services: Services, ref: string, kind: string): Promise<Record<string, unknown>[]> {
  const rows = await services.db.sql
    .selectFrom('log_entry')
    .select('body')
    .where('ref', '=', ref)
    .where('kind', '=', kind)
    .orderBy('id')
    .execute();
  return rows.map(({ body }) => JSON.parse(body));
}

/** No execution, no credential, no entry of a begin. */
async function expectNotBegun(services: Services, { id }: { id: string }): Promise<void> {
  expect(await row(services, { id })).toMatchObject({ execution_id: null, began_at: null });
  expect(await credentialsOf(services, { id })).toEqual([]);
  expect(await entries(services, id, 'action.begun')).toEqual([]);
}

const credentialsOf = (services: Services, { id }: { id: string }) =>
  services.db.sql
    .selectFrom('credential')
    .select(['jti', 'revoked_at'])
    .where('action_id', '=', id)
    .orderBy('issued_at')
    .orderBy('revoked_at')
    .execute();

/** One store for tests that leave nothing but actions behind. */
function sharedDesk(make: MakeServices): () => Promise<TestServices> {
  let desk: Promise<TestServices> | undefined;
  const open = async () => {
    const services = await make();
    await givenAdopted(services);
    return services;
  };
  return () => {
    desk ??= open();
    return desk;
  };
}

describeBothStores('beginAction()', (make) => {
  const givenDesk = sharedDesk(make);

  verifies(
    'never:unrecorded-write',
    'begins nothing that is not approved for these arguments, once, by its own agent',
    async () => {
      const services = await givenDesk();
      const pending = await givenPendingAction(services);
      const denied = await givenPendingAction(services);
      await decideAction(services, approverActor(), { id: denied.id, verdict: 'deny' });
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
        [approved, 'forbidden', other],
      ];
      for (const [action, code, actor] of cases) {
        await expect(begin(services, action, 'e-1', actor)).rejects.toMatchObject({ code });
        await expectNotBegun(services, action);
      }
      await expect(begin(services, { id: crypto.randomUUID() })).rejects.toMatchObject({ code: 'not_found' });
      // The function itself asks for the agent too.
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
    services.clock.advance(4_000);
    const second = await begin(services, action);
    expect(second.credential?.jti).not.toBe(first.credential?.jti);
    expect(await credentialsOf(services, action)).toMatchObject([
      { jti: first.credential?.jti, revoked_at: expect.any(Date) },
      { jti: second.credential?.jti, revoked_at: null },
    ]);
    services.clock.advance(1_001);
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
      // As a stop would, without voiding anything.
      await db
        .updateTable('rollout_segment')
        .set({ generation: 2 })
        .where('rollout_id', '=', rollout)
        .where('segment', '=', 'gold')
        .execute();
      await db.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'default').execute();
      const disabled = await givenApprovedIn(services, 'gold', 'refund');
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

  test('limits are reserved by a begin and left alone by a refused one', async () => {
    const services = await make();
    const limited = RELEASE_YAML.replace(
      'cancel, approval: desk',
      'cancel, approval: { group: desk, expiresIn: 3d }, limits: { perHour: 2, perDay: 3 }',
    );
    await givenAdopted(services, { releaseYaml: limited });
    const actions: ActionRow[] = [];
    for (let n = 0; n < 5; n++) actions.push(await givenApprovedAction(services));
    const next = async () => begin(services, actions.shift() ?? { id: '' });
    const refused = async () => {
      const [action] = actions;
      await expect(begin(services, action ?? { id: '' })).rejects.toMatchObject({ code: 'limit_reached' });
      expect(await row(services, action ?? { id: '' })).toMatchObject({ state: 'approved' });
    };
    await next();
    await next();
    await refused();
    await refused();
    expect(await used(services)).toEqual({ hour: [2], day: [2] });
    services.clock.advance(HOUR_MS);
    await next();
    await refused();
    expect(await used(services)).toEqual({ hour: [2, 1], day: [3] });
    services.clock.advance(DAY_MS);
    await next();
    await next();
    expect(await used(services)).toEqual({ hour: [2, 1, 2], day: [3, 2] });
  });

  verifies(
    'never:write-after-stop',
    'a stop between begin and credential: no token is given out',
    async () => {
      const services = await givenDesk();
      const action = await givenBegunAction(services);
      await stop(services, 'agent/desk');
      const kept = await privateOf(services.db.sql, action.id);
      expect(await issueCredential(services, action, Buffer.from(kept?.salt ?? ''))).toBeUndefined();
      expect(await row(services, action)).toMatchObject({
        state: 'failed',
        error_code: 'stopped_before_credential',
      });
      const credentials = await credentialsOf(services, action);
      expect(credentials).toHaveLength(2);
      expect(credentials.every(({ revoked_at }) => revoked_at !== null)).toBe(true);
      expect(await entries(services, action.id, 'credential.refused')).toHaveLength(1);
      await expect(begin(services, action)).rejects.toMatchObject({ code: 'already_begun' });
    },
  );

  verifies(
    'never:write-after-stop',
    'the same execution gets no second credential after a stop',
    async () => {
      const services = await givenDesk();
      const action = await givenBegunAction(services);
      await stop(services, 'tool/desk/cancel');
      await expect(begin(services, action)).rejects.toMatchObject({
        code: 'stopped',
        details: { because: 'disabled' },
      });
      await enable(services, onCallActor(), { scope: 'tool/desk/cancel', reason: 'out' });
      expect((await begin(services, action)).credential).toBeDefined();
    },
  );
});

test('a stop between the two transactions of a begin is a 409 without a token', async () => {
  const services = await createTestServices({ store: 'postgres' });
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

describeBothStores('decideAction()', (make) => {
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
      await expect(
        decideAction(services, approverActor(), { id: action.id, verdict: 'deny' }),
      ).rejects.toMatchObject({ code: 'already_decided' });

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
        decideAction(services, approverActor('ben'), { id: action.id, verdict: 'deny' }),
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
    const action = await givenPendingAction(services, { behind: 'ben' });
    const asApprover = (person: string) => actorOf('approver', { person });
    const cases: [Actor, string][] = [
      [asApprover('mia'), 'not_eligible'],
      [asApprover('cleo'), 'not_eligible'],
      [asApprover('olga'), 'not_eligible'],
      [asApprover('ben'), 'not_eligible'],
      [actorOf('approver'), 'not_eligible'],
      [actorOf(['release-manager', 'on-call', 'admin', 'auditor', 'agent'], { person: 'ana' }), 'forbidden'],
      [actorOf('approver', { person: 'ana', agent: 'other' }), 'forbidden'],
    ];
    for (const [actor, code] of cases) {
      for (const verdict of ['approve', 'deny'] as const) {
        await expect(decideAction(services, actor, { id: action.id, verdict })).rejects.toMatchObject({
          code,
        });
      }
    }
    const seen = { id: action.id, verdict: 'approve' as const };
    for (const more of [{ digest: 'other' }, { revision: 7 }]) {
      await expect(decideAction(services, approverActor(), { ...seen, ...more })).rejects.toMatchObject({
        code: 'seen_outdated',
      });
    }
    await applyAgent(services, managerActor(), agentFrom(AGENT_YAML.replace('[ana, ben]', '[ben]')));
    await expect(decideAction(services, approverActor(), seen)).rejects.toMatchObject({
      code: 'not_eligible',
    });
    expect(await row(services, action)).toMatchObject({ state: 'pending', revision: 1 });
    const decisions = services.db.sql.selectFrom('decision').selectAll().where('action_id', '=', action.id);
    expect(await decisions.execute()).toEqual([]);
  });
});

describeBothStores('a rolled-back segment', (make) => {
  verifies(
    'never:rolled-back-reopened',
    'stays closed whatever the workflow repeats, and opens by a person’s reenter alone',
    async () => {
      const services = await make();
      const { rollout: id, planned } = await givenExposed(services);
      // The first ask of a build changes the rollout's row; afterwards only the generation tells what is outdated.
      await givenAsked(services, { subject: 'first' });
      const before = await planned();
      const workflow = createRolloutActivities(services);
      await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
      const gold = { segment: 'gold', exposure: 0, state: 'rolled_back', generation: 2 };
      const untouched = { segment: 'default', exposure: 1_000, generation: 1 };
      const expectClosed = async () => {
        const { segments } = await rolloutFacts(services, id);
        expect(segments).toMatchObject([untouched, gold]);
        expect((await givenAsked(services, { subject: crypto.randomUUID() })).action).toMatchObject({
          arm: 'control',
          state: 'pending',
        });
      };
      await expectClosed();
      // Planned before the rollback, delivered after it, and delivered again.
      for (let attempt = 0; attempt < 2; attempt++) {
        expect(await workflow.enterStep(before, 2)).toBe(false);
        expect(await completeRollout(services, before)).toBe(false);
      }
      await expectClosed();
      for (const verb of ['advance', 'approve-gate'] as const) {
        await expect(
          runRolloutVerb(services, managerActor(), { id, verb, reason: 'on' }),
        ).rejects.toMatchObject({ code: 'gate_not_ready' });
      }
      for (const verb of ['pause', 'resume'] as const) {
        await runRolloutVerb(services, managerActor(), { id, verb, reason: 'look' });
      }
      await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'again' });
      await expectClosed();
      for (const actor of [onCallActor(), actorOf('release-manager'), actorOf('agent', { agent: 'desk' })]) {
        await expect(
          runRolloutVerb(services, actor, { id, verb: 'reenter', segment: 'gold', reason: 'mended' }),
        ).rejects.toMatchObject({ code: 'forbidden' });
      }
      await expectClosed();
      await expect(
        runRolloutVerb(services, managerActor(), { id, verb: 'reenter', segment: 'default', reason: 'too' }),
      ).rejects.toMatchObject({ code: 'wrong_state' });
      await runRolloutVerb(services, managerActor(), {
        id,
        verb: 'reenter',
        segment: 'gold',
        reason: 'mended',
      });
      expect((await rolloutFacts(services, id)).segments).toMatchObject([
        untouched,
        { segment: 'gold', state: 'exposed', exposure: 10_000, generation: 2 },
      ]);
      expect(await entries(services, id, 'rollout.reenter')).toMatchObject([
        { actor: 'olga', data: { segment: 'gold', reason: 'mended' } },
      ]);
      expect(await enterStep(services, before, 2)).toBe(false);
    },
  );

  verifies(
    'never:rolled-back-reopened',
    'is neither widened nor put in force by a move that was planned from it as it is',
    async () => {
      const services = await make();
      const { rollout: id, planned } = await givenExposed(services);
      await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
      expect(await enterStep(services, await planned(), 2)).toBe(true);
      expect((await rolloutFacts(services, id)).segments).toMatchObject([
        { segment: 'default', exposure: 10_000 },
        { segment: 'gold', exposure: 0, state: 'rolled_back', generation: 2 },
      ]);
      expect(await completeRollout(services, await planned())).toBe(true);
      const inForce = await services.db.sql
        .selectFrom('in_force')
        .select(['segment', 'release'])
        .orderBy('segment')
        .execute();
      expect(inForce).toEqual([
        { segment: 'default', release: '2' },
        { segment: 'gold', release: '1' },
      ]);
    },
  );
});

const ROLLOUT_RELEASE = `agent: desk
release: 2
grants:
  - { tool: lookup }
  - { tool: cancel, approval: none }
  - { tool: refund, approval: { group: desk, quorum: 2, expiresIn: 2h } }
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  constrained: [{ days: 30, exposure: { gold: 100, default: 10 } }]
  scale: [{ days: 30, exposure: { '*': 100 } }]
`;

/** A rollout in its first exposed step: all of gold and a tenth of the others are in the candidate. */
async function givenExposed(services: TestServices) {
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, ROLLOUT_RELEASE);
  const { id } = await startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'try' });
  const planned = async () => ({ id, ...(await rolloutFacts(services, id)) });
  await lockBaseline(services, await planned());
  await enterStep(services, await planned(), 1);
  return { rollout: id, planned };
}

/** Approved by both; of the control arm where the tier is exposed to a tenth. */
async function givenApprovedIn(services: TestServices, tier: string, tool = 'cancel'): Promise<ActionRow> {
  const args = tool === 'refund' ? { amount: 5 } : { id: 'R-1' };
  for (let n = 0; ; n++) {
    const actor = agentActor({ attributes: { tier } });
    const { action } = await givenAsked(services, { tool, args, subject: `${tier}-${n}` }, actor);
    if (action.state !== 'pending') continue;
    for (const person of ['ana', 'ben'].slice(0, action.approval?.quorum)) {
      await approve(services, action, person);
    }
    return row(services, action);
  }
}

async function used(services: Services): Promise<Record<string, number[]>> {
  const { rows } = await sql<{ period: string; used: number }>`
    SELECT period, used FROM limit_use ORDER BY starts_at`.execute(services.db.sql);
  const of = (period: string) => rows.filter((one) => one.period === period).map((one) => one.used);
  return { hour: of('hour'), day: of('day') };
}
