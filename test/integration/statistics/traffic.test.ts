import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
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
