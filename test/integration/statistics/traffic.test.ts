import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { recordedBaselines } from '../../../src/statistics/baselines.ts';
import { trafficOf } from '../../../src/statistics/traffic.ts';
import { agentActor, askInput, managerActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { givenExposed } from '../rollouts/support.ts';

describeWithServices('how much comes of an agent', (make) => {
  test('subjects a day with a write, per segment and tool: one subject counts once a day', async () => {
    const services = await make();
    await givenExposed(services);
    const ask = (subject: string, idempotencyKey: string, tier = 'gold') =>
      askAction(services, agentActor({ attributes: { tier } }), askInput({ subject, idempotencyKey }));
    for (let day = 0; day < 4; day++) {
      for (const [n, subject] of ['a', 'a', 'b'].entries()) await ask(subject, `${day}-${n}`);
      if (day === 0) await ask('c', 'silver', 'silver');
      services.clock.advance(services.dayMs);
    }
    const { segments, days } = await trafficOf(services, managerActor(), { agent: 'desk', days: 30 });
    expect(days).toBe(4);
    expect(segments).toEqual([
      { segment: 'gold', tool: null, subjectsADay: 2 },
      { segment: 'gold', tool: 'cancel', subjectsADay: 2 },
      { segment: 'silver', tool: null, subjectsADay: 0.25 },
      { segment: 'silver', tool: 'cancel', subjectsADay: 0.25 },
    ]);
    const recent = await trafficOf(services, managerActor(), { agent: 'desk', days: 2 });
    expect(recent.segments.map(({ segment }) => segment)).toEqual(['gold', 'gold']);
    // Too much for one look: of the newest.
    const few = await trafficOf(services, managerActor(), { agent: 'desk', days: 30 }, 3);
    expect(few).toMatchObject({ days: 1, segments: [{ subjectsADay: 2 }, { subjectsADay: 2 }] });
  });

  test('what the last baselines measured is told, of each segment and metric the newest that has anything', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const measured = (metric: string, events: number, harms: number) => ({
      ...{ segment: 'gold', metric, events, harms, known: events },
      own: { upper: 0.2, limit: 0.3 },
    });
    const lock = (rows: unknown[]) =>
      services.db.sql
        .updateTable('rollout')
        .set({ baseline: JSON.stringify(rows), baseline_locked_at: services.clock.now() })
        .where('id', '=', id)
        .execute();
    await lock([measured('wrong', 600, 12), measured('late', 0, 0)]);
    const found = await recordedBaselines(services, managerActor(), 'desk');
    expect(found).toEqual([
      { rollout: id, segment: 'gold', metric: 'wrong', events: 600, harms: 12, known: 600 },
    ]);
    await services.db.sql.updateTable('rollout').set({ baseline_locked_at: null }).execute();
    expect(await recordedBaselines(services, managerActor(), 'desk')).toEqual([]);
    await expect(recordedBaselines(services, { ...managerActor(), roles: [] }, 'desk')).rejects.toMatchObject(
      {
        code: 'forbidden',
      },
    );
  });

  test('nothing recorded is no traffic; nobody else may look', async () => {
    const services = await make();
    await givenExposed(services);
    const asked = { agent: 'desk', days: 30 };
    expect((await trafficOf(services, managerActor(), asked)).segments).toEqual([]);
    await expect(trafficOf(services, { ...managerActor(), roles: [] }, asked)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(trafficOf(services, managerActor(), { agent: 'nobody', days: 30 })).rejects.toMatchObject({
      code: 'unknown_agent',
    });
  });
});
