import { beforeEach, describe, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { recompute } from '../../../src/domain/evidence/recorded.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import type { VerdictRecord } from '../../../src/records/verdict.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { approverActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, goldOf, loggedBreach, restarted, tell } from './support.ts';

const METRICS = `  done: { unit: conversation, business: completion, direction: higher, corrections: true }
  slow: { unit: conversation, business: effort, kind: first, above: 2.5 }
  cost: { unit: EUR, business: unit cost, kind: sum, cap: 10 }
  free: { unit: EUR, business: unit cost, kind: sum }
`;
const GUARDRAILS = [
  '{ metric: done, limit: 0.9, reason: as people do }',
  '{ metric: slow, limit: 0.05, reason: p95 of 2.5 s }',
  '{ metric: cost, limit: 0.5, reason: what a call costs }',
].join(', ');

describeWithServices('a metric', (make) => {
  let services: TestServices;
  let id: string;
  beforeEach(async () => {
    services = await make();
    id = await givenExposed(services, { metrics: METRICS, guardrails: GUARDRAILS, pairs: '[[slow, cost]]' });
  });

  describe('where higher is better', () => {
    test('counts what falls short as harm, against what is left of one', async () => {
      for (const [n, value] of [1, 1, 0, 0.5, 1].entries())
        await tell(services, await givenCancelled(services, `s${n}`), 'done', value);
      await judgeDue(services);
      expect(await goldOf(services, id, 'done')).toMatchObject({
        events: 5,
        harms: 2,
        limit: 0.1,
        atLeast: 0.9,
      });
    });

    test('takes back what falls short, and says what was promised', async () => {
      for (let n = 0; n < 12; n++) await tell(services, await givenCancelled(services, `s${n}`), 'done', 0);
      await judgeDue(services);
      expect((await goldOf(services, id, 'done')).state).toBe('rolled_back');
      const incident = await services.db.sql.selectFrom('incident').select('title').executeTakeFirstOrThrow();
      expect(incident.title).toContain('done below its least of 0.9');
    });

    test('a correction is harm there too', async () => {
      const action = await givenCancelled(services, 's');
      await tell(services, action, 'done', 1);
      await correctAction(services, approverActor(), { id: action.id, reason: 'it was not done' });
      await judgeDue(services);
      expect(await goldOf(services, id, 'done')).toMatchObject({ events: 1, harms: 1 });
    });
  });

  test('of the first counts what came of the first write of a subject and day, and of no other', async () => {
    const first = await givenCancelled(services, 's');
    services.clock.advance(1_000);
    const second = await givenCancelled(services, 's', 'gold', 'other');
    await tell(services, second, 'slow', 60);
    await judgeDue(services);
    expect(await goldOf(services, id, 'slow')).toMatchObject({ events: 1, harms: 0, known: 0 });
    await tell(services, first, 'slow', 2.5);
    await judgeDue(services);
    expect(await goldOf(services, id, 'slow')).toMatchObject({ events: 1, harms: 0, known: 1 });
    await tell(services, first, 'slow', 2.51);
    await judgeDue(services);
    expect(await goldOf(services, id, 'slow')).toMatchObject({ events: 1, harms: 1, known: 1 });
  });

  test('of the first a write that failed is none: the next one is the first', async () => {
    const failed = await givenCancelled(services, 's', 'gold', 'failed', false);
    services.clock.advance(1_000);
    const second = await givenCancelled(services, 's', 'gold', 'second');
    await tell(services, failed, 'slow', 0);
    await tell(services, second, 'slow', 60);
    await judgeDue(services);
    expect(await goldOf(services, id, 'slow')).toMatchObject({ events: 1, harms: 1, known: 1 });
  });

  describe('of sums', () => {
    test('adds up what a subject costs in a day; what is told again counts once, and what failed leaves', async () => {
      const days = [
        [0.2, 0.7],
        [0.1, 0, 3.5],
      ];
      for (const [day, values] of days.entries()) {
        for (const [n, value] of values.entries()) {
          const action = await givenCancelled(services, `s${day}-${n}`);
          for (const [part, amount] of [value / 4, (value * 3) / 4].entries()) {
            await tell(services, action, 'cost', amount, { id: `part-${part}` });
            await tell(services, action, 'cost', amount, { id: `part-${part}` });
          }
        }
        await givenCancelled(services, `failed-${day}`, 'gold', `failed-${day}`, false);
        await judgeDue(services);
        services.clock.advance(services.dayMs);
      }
      const found = await goldOf(services, id, 'cost');
      expect(found).toMatchObject({ events: 5, harms: null, known: 5 });
      expect(found.estimate).toBeCloseTo(4.5 / 5, 8);
      expect(found.logE).toBeCloseTo(restarted(days, 0.5), 6);
      const { evidence } = await rolloutReport(services, id);
      const shown = evidence.find(({ metric, segment }) => metric === 'cost' && segment === 'gold');
      expect(shown).toMatchObject({ isSum: true, limit: 0.5 });
      expect(shown?.processes[0]?.days.at(-1)?.logE).toBeCloseTo(found.logE ?? 0, 12);
    });

    test('takes back what costs too much; its verdict is judged again by its entry alone', async () => {
      for (let n = 0; n < 30; n++) await tell(services, await givenCancelled(services, `s${n}`), 'cost', 2);
      await judgeDue(services);
      expect((await goldOf(services, id, 'cost')).state).toBe('rolled_back');
      const { pairs } = await rolloutStatus(services, id);
      expect(pairs.find(({ segment }) => segment === 'gold')).toEqual({
        segment: 'gold',
        verdict: 'breach',
        metrics: [
          { metric: 'slow', verdict: expect.any(String) },
          { metric: 'cost', verdict: 'breach' },
        ],
      });
      const breach = await loggedBreach(services, 'cost');
      const again = recompute(breach);
      expect(again?.judged.verdict).toBe('breach');
      expect(again?.differences).toEqual([]);
    });

    test('is ok when its cap carries the proof, never by silence, and never above the cap', async () => {
      const cheap: ActionRow[] = [];
      for (let n = 0; n < 250; n++) cheap.push(await givenCancelled(services, `s${n}`));
      services.clock.advance(3 * services.dayMs);
      await queueExposed(services);
      await judgeDue(services);
      expect((await goldOf(services, id, 'cost')).verdict).toBe('no-data');
      for (const action of cheap) await tell(services, action, 'cost', 0.01);
      await judgeDue(services);
      expect((await goldOf(services, id, 'cost')).verdict).toBe('ok');
      await tell(services, cheap[0] as ActionRow, 'cost', 11);
      await judgeDue(services);
      expect(await goldOf(services, id, 'cost')).toMatchObject({ verdict: 'inconclusive', moreNeeded: null });
    });

    test('takes no value that no sum can be made of', async () => {
      const action = await givenCancelled(services, 's');
      for (const value of [-1, 1e16])
        await expect(tell(services, action, 'cost', value)).rejects.toThrow(/a sum takes values from 0/);
    });

    test('that nothing acts on are added up for people', async () => {
      const action = await givenCancelled(services, 's');
      await tell(services, action, 'free', 4);
      await judgeDue(services);
      const [row] = await services.db.sql
        .selectFrom('day_sum')
        .selectAll()
        .where('metric', '=', 'free')
        .execute();
      expect(row).toMatchObject({ total: String(4n << 32n), logs: [], safety: [], over: 0 });
    });

    test('the pooled process finds what is spread over segments', async () => {
      for (let n = 0; n < 12; n++)
        for (const tier of ['gold', 'silver', 'none'])
          await tell(services, await givenCancelled(services, `${tier}-${n}`, tier), 'cost', 1.4);
      await judgeDue(services);
      const { record } = await services.db.sql
        .selectFrom('verdict')
        .select('record')
        .where('segment', '=', '*')
        .where('metric', '=', 'cost')
        .executeTakeFirstOrThrow();
      const pooled = record as VerdictRecord;
      expect(pooled.pooledLogE).toBeCloseTo(restarted([Array.from({ length: 36 }, () => 1.4)], 0.5), 6);
      expect(pooled.logE).toBeCloseTo(restarted([Array.from({ length: 24 }, () => 1.4)], 0.5), 6);
    });
  });
});
