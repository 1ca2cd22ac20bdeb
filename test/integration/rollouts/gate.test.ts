import { expect, test } from 'vitest';
import { nextMove } from '../../../src/domain/rollout/phase.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { askForGate } from '../../../src/rollouts/moves.ts';
import { startRollout } from '../../../src/rollouts/start.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenAdopted,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';

describeWithServices('a gate that only the owners hold up', (make) => {
  test('is told once, and again when a reminder is due: never in between', async () => {
    const services = await make();
    await givenAdopted(services);
    await givenRelease(services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
    const { id } = await startRollout(services, managerActor(), {
      agent: 'desk',
      release: '2',
      reason: 'ready',
    });
    await services.db.sql.updateTable('rollout').set({ baseline_locked_at: services.clock.now() }).execute();
    services.clock.advance(30 * services.dayMs);
    const now = () => rolloutFacts(services, id);
    const alerts = async () =>
      (
        await services.db.sql
          .selectFrom('alert')
          .select(['kind', 'facts'])
          .where('kind', '=', 'rollout.gate')
          .orderBy('created_at')
          .execute()
      ).map(({ facts }) => (facts as { reminder?: boolean }).reminder ?? false);
    expect(nextMove(await now())).toEqual({ do: 'ask-person' });
    await askForGate(services, { id, ...(await now()) });
    expect(await alerts()).toEqual([false]);
    services.clock.advance(1.5 * services.dayMs);
    expect(nextMove(await now())).toEqual({ do: 'wait', ms: services.dayMs / 2 });
    services.clock.advance(services.dayMs);
    expect(nextMove(await now())).toEqual({ do: 'ask-person' });
    await askForGate(services, { id, ...(await now()) });
    expect(await alerts()).toEqual([false, true]);
    expect(nextMove(await now())).toEqual({ do: 'wait', ms: services.dayMs });
  });
});
