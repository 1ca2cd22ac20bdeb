import { expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import type { Agent } from '../../../src/domain/agent.ts';
import { openRollout, watchedRollout } from '../../../src/records/rollout.ts';
import { statusText } from '../../../src/slack/replies.ts';
import { managerActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { givenExposed } from './support.ts';

describeWithServices('the rollout of an agent', (make) => {
  test('is the open one, then the one whose release is in force, and then none, for everybody who asks', async () => {
    const services = await make();
    const { sql } = services.db;
    const id = await givenExposed(services);
    const asked = async () => {
      await services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
      const world = await services.worlds.get('desk');
      if (!world) throw new Error('there is no agent');
      const { agent } = world;
      return {
        open: (await openRollout(sql, 'desk'))?.id,
        watched: (await watchedRollout(sql, 'desk'))?.id,
        decided: world.world.rollout?.id,
        slack: (await statusText(services, [agent])).includes(id),
      };
    };
    expect(await asked()).toEqual({ open: id, watched: id, decided: id, slack: true });
    await sql.updateTable('rollout').set({ status: 'completed', ended_at: services.clock.now() }).execute();
    await sql.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'gold').execute();
    expect(await asked()).toEqual({ open: undefined, watched: id, decided: id, slack: true });
    await sql.updateTable('in_force').set({ release: '1' }).execute();
    expect(await asked()).toEqual({ open: undefined, watched: undefined, decided: undefined, slack: false });
  });

  test('that completed keeps the metrics it watches as they are, and no others', async () => {
    const services = await make();
    const { sql } = services.db;
    const id = await givenExposed(services);
    await sql.updateTable('rollout').set({ status: 'completed', ended_at: services.clock.now() }).execute();
    await sql.updateTable('in_force').set({ release: '2' }).execute();
    const { manifest } = await sql.selectFrom('agent').select('manifest').executeTakeFirstOrThrow();
    const { wrong, ...others } = manifest.metrics;
    if (!wrong) throw new Error('the agent has other metrics');
    const apply = (metrics: Agent['metrics']) =>
      applyAgent(services, managerActor(), { ...manifest, metrics });
    for (const metrics of [others, { ...others, wrong: { ...wrong, above: 3 } }])
      await expect(apply(metrics)).rejects.toThrow(
        `Cannot change metric "wrong": rollout ${id} completed, and its release is watched by it`,
      );
    await expect(apply({ ...manifest.metrics, stricter: { ...wrong, above: 3 } })).resolves.toMatchObject({
      revision: 2,
    });
    await sql.updateTable('in_force').set({ release: '1' }).execute();
    await expect(apply(others)).resolves.toMatchObject({ revision: 3 });
  });
});
