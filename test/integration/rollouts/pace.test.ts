import { expect, test } from 'vitest';
import { rolloutById } from '../../../src/records/rollout.ts';
import { countEvidence } from '../../../src/rollouts/evidence.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { paceOf } from '../../../src/rollouts/pace.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed } from './support.ts';

const paceIn = async (services: TestServices, id: string, segment: string) => {
  const rollout = await rolloutById(services.db.sql, id);
  return (await paceOf(services.db.sql, rollout, services.clock.now()))(segment, 'wrong');
};

describeWithServices('how many events come a day', (make) => {
  test('by the last week, as much of it as was exposed, at the exposure of now', async () => {
    const services = await make();
    const id = await givenExposed(services);
    expect(await paceIn(services, id, 'gold')).toBeUndefined();
    for (let day = 0; day < 10; day++) {
      // Busy at first: what is older than a week says nothing of now.
      for (let n = 0; n < (day < 2 ? 9 : 3); n++) await givenCancelled(services, `${day}-${n}`);
      services.clock.advance(services.dayMs);
    }
    await countEvidence(services.db.sql);
    expect(await paceIn(services, id, 'gold')).toBeCloseTo(3, 1);
    expect(await paceIn(services, id, 'silver')).toBe(0);
    await services.db.sql
      .updateTable('rollout_segment')
      .set({ exposure: 5_000, changed_at: services.clock.now() })
      .where('segment', '=', 'gold')
      .execute();
    expect(await paceIn(services, id, 'gold')).toBeCloseTo(1.5, 1);
    await services.db.sql
      .updateTable('rollout_segment')
      .set({ exposure: 0, changed_at: services.clock.now() })
      .where('segment', '=', 'gold')
      .execute();
    expect(await paceIn(services, id, 'gold')).toBeUndefined();
  });

  test('what a step waits for is told in days too', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await givenCancelled(services, 'one');
    await givenCancelled(services, 'two');
    services.clock.advance(services.dayMs);
    await judgeDue(services);
    const { verdicts } = await rolloutFacts(services, id);
    expect(verdicts.find(({ segment }) => segment === 'gold')?.perDay).toBeCloseTo(2, 1);
  });
});
