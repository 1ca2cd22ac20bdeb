import { expect } from 'vitest';
import { createRolloutActivities } from '../../../activities/rollouts.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { completeRollout, enterStep } from '../../../src/rollouts/moves.ts';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { verifies } from '../../requirements.ts';
import { actorOf, givenAsked, managerActor, onCallActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { entries, givenExposed } from '../actions/support.ts';

describeWithServices('a rolled-back segment', (make) => {
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
      const meanwhile = await planned();
      await runRolloutVerb(services, managerActor(), {
        id,
        verb: 'reenter',
        segment: 'gold',
        reason: 'mended',
      });
      expect((await rolloutFacts(services, id)).segments).toMatchObject([
        untouched,
        { segment: 'gold', state: 'exposed', exposure: 10_000, generation: 3 },
      ]);
      expect(await entries(services, id, 'rollout.reenter')).toMatchObject([
        { actor: 'olga', data: { segment: 'gold', reason: 'mended' } },
      ]);
      for (const outdated of [before, meanwhile]) {
        expect(await enterStep(services, outdated, 2)).toBe(false);
      }
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
