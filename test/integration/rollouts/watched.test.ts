import { expect, test } from 'vitest';
import { openRollout, watchedRollout } from '../../../src/records/rollout.ts';
import { statusText } from '../../../src/slack/replies.ts';
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
});
