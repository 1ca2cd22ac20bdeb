import { expect, test } from 'vitest';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { describeWithServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

describeWithServices('what people should look at', (make) => {
  test('is what stands out although nothing is taken back, and nothing that was', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let n = 0; n < 3; n++) await report(services, await givenCancelled(services, `s-${n}`, 'silver'), 0);
    for (let n = 0; n < 4; n++)
      await report(services, await givenCancelled(services, `g-${n}`), n > 0 ? 1 : 0);
    await judgeDue(services);
    const { worthALook, segments } = await rolloutStatus(services, id);
    const gold = segments.find(({ segment }) => segment === 'gold');
    expect(gold).toMatchObject({ state: 'exposed', verdicts: [{ verdict: 'inconclusive' }] });
    expect(worthALook).toEqual([
      {
        segment: 'gold',
        metric: 'wrong',
        why: 'evidence',
        value: expect.closeTo(gold?.verdicts[0]?.eValue ?? 0, 6),
      },
    ]);
    for (let n = 4; n < 8; n++) await report(services, await givenCancelled(services, `g-${n}`), 1);
    await judgeDue(services);
    const after = await rolloutStatus(services, id);
    expect(after.segments.find(({ segment }) => segment === 'gold')?.state).toBe('rolled_back');
    expect(after.worthALook).toEqual([]);
  });

  test('a late change is told as a drift: it is forgotten what the good days cost', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let day = 0; day < 24; day++) {
      for (let n = 0; n < 2; n++) await report(services, await givenCancelled(services, `${day}-${n}`), 0);
      services.clock.advance(services.dayMs);
    }
    for (let n = 0; n < 4; n++) await report(services, await givenCancelled(services, `late-${n}`), 1);
    await judgeDue(services);
    const { worthALook, segments } = await rolloutStatus(services, id);
    expect(segments.find(({ segment }) => segment === 'gold')?.state).toBe('exposed');
    expect(worthALook).toEqual([
      { segment: 'gold', metric: 'wrong', why: 'drift', value: expect.any(Number) },
    ]);
  });
});
