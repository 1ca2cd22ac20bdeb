import { expect, test } from 'vitest';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { enterStep } from '../../../src/rollouts/moves.ts';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenAdopted,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

describeWithServices('a segment that enters again', (make) => {
  test('from an earlier step takes the rollout back to it, and nobody else loses anything', async () => {
    const services = await make();
    await givenAdopted(services);
    const plan = `constrained: [{ days: 10, exposure: { gold: 10 } }, { days: 10, exposure: { gold: 50 } }],
    scale: [{ days: 10, exposure: { gold: 80, '*': 40 } }, { days: 10, exposure: { '*': 100 } }],`;
    const yaml = RELEASE_2_YAML.replace('rollout: {', `rollout: { ${plan}`);
    await givenRelease(services, agentFrom(AGENT_YAML), yaml);
    const { id } = await startRollout(services, managerActor(), {
      agent: 'desk',
      release: '2',
      reason: 'go',
    });
    const enter = async (step: number) =>
      enterStep(services, { id, ...(await rolloutFacts(services, id)) }, step);
    for (const step of [1, 2, 3]) expect(await enter(step)).toBe(true);
    const exposed = async () => {
      const { step, segments } = await rolloutStatus(services, id);
      return { step, ...Object.fromEntries(segments.map((one) => [one.segment, one.exposurePercent])) };
    };
    expect(await exposed()).toMatchObject({ step: 4, gold: 80, default: 40 });
    await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
    services.clock.advance(3 * services.dayMs);
    const reenter = (fromStep: number) =>
      runRolloutVerb(services, managerActor(), {
        ...{ id, verb: 'reenter', segment: 'gold', reason: 'mended', fromStep },
      });
    for (const step of [1, 5, 9])
      await expect(reenter(step)).rejects.toThrow('it was exposed in step 2, step 3, step 4 so far');
    await expect(
      runRolloutVerb(services, managerActor(), { id, verb: 'pause', reason: 'x', fromStep: 2 }),
    ).rejects.toThrow('only a segment reenters from one');
    expect(await reenter(2)).toEqual({
      changed: true,
      detail:
        'gold is exposed again at 10 %, and the rollout goes on from step 2: what is exposed further stays so',
    });
    expect(await exposed()).toMatchObject({ step: 2, gold: 10, default: 40 });
    expect((await rolloutFacts(services, id)).elapsedMs).toBe(0);
    expect(await enter(2)).toBe(true);
    expect(await exposed()).toMatchObject({ step: 3, gold: 50, default: 40 });
    expect(await enter(3)).toBe(true);
    expect(await exposed()).toMatchObject({ step: 4, gold: 80, default: 40 });
  });
});
