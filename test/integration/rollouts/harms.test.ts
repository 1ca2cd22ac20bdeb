import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import type { VerdictRecord } from '../../../src/records/verdict.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { agentActor, approverActor, askInput, managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

async function goldOf(services: TestServices, id: string) {
  const { segments } = await rolloutStatus(services, id);
  const gold = segments.find(({ segment }) => segment === 'gold');
  if (!gold) throw new Error('there is no gold');
  return { ...gold, record: gold.verdicts[0] as VerdictRecord };
}

/** Begins so many harmless writes and so many harmful ones, each in a conversation of its own. */
async function begun(services: TestServices, name: string, harmless: number, harmful: number): Promise<void> {
  for (let n = 0; n < harmless; n++) await givenCancelled(services, `${name}-fine-${n}`);
  for (let n = 0; n < harmful; n++) await report(services, await givenCancelled(services, `${name}-${n}`), 1);
}

/** One conversation a day in which a person let the write through, over so many days. */
async function askedOfPeople(services: TestServices, days: number): Promise<void> {
  for (let n = 0; n < days; n++) {
    const actor = agentActor();
    const asked = askInput({ subject: `base-${n}`, idempotencyKey: `base-${n}`, args: { id: `base-${n}` } });
    const { action } = await askAction(services, actor, asked);
    await answerAction(services, approverActor(), { id: action.id, verdict: 'approve', reason: 'as asked' });
    await beginAction(services, actor, { id: action.id, executionId: action.id });
    await completeAction(services, actor, { id: action.id, executionId: action.id, ok: true });
    services.clock.advance(services.dayMs);
  }
}

/** The plan as an earlier version froze it. */
async function forgetCompanions({ db }: TestServices): Promise<void> {
  const { plan } = await db.sql.selectFrom('rollout').select('plan').executeTakeFirstOrThrow();
  const { companions: _, ...older } = plan as unknown as Record<string, unknown>;
  await db.sql
    .updateTable('rollout')
    .set({ plan: JSON.stringify(older) })
    .execute();
}

/** log E of one segment as STATISTICS 4.2 and 4.6 have it, from an entry of the log alone and by integration. */
function recomputed({
  perDay,
  exposed,
  harms,
  prior: { a, b },
}: NonNullable<VerdictRecord['count']>): number {
  const [limit] = Object.values(perDay).map(Number);
  if (limit === undefined) throw new Error('no limit');
  const last = Math.max(...exposed.map(({ toDay }) => toDay));
  const days: { time: number; harms: number }[] = [];
  for (let day = Math.min(...exposed.map(({ fromDay }) => fromDay)); day <= last; day++) {
    const on = exposed.filter(({ fromDay, toDay }) => fromDay <= day && day <= toDay);
    const time = Math.max(...on.map(({ exposure }) => exposure / 10_000));
    days.push({
      time,
      harms: harms.filter((one) => one.day === day).reduce((sum, one) => sum + one.harms, 0),
    });
  }
  let [weights, total] = [0, 0];
  for (let l = limit * 1.0005; l < limit * 120; l += limit * 0.001) {
    const weight = l ** (Number(a) - 1) * Math.exp(-Number(b) * l);
    let s = 0;
    for (const [i, day] of days.entries())
      s = (l / limit) ** day.harms * Math.exp((limit - l) * day.time) * (s + 1 / ((i + 1) * (i + 2)));
    weights += weight;
    total += weight * s;
  }
  return Math.log(total / weights + 1 / (days.length + 1));
}

describeWithServices('harms a day', (make) => {
  test('an agent that dilutes its rate by harmless writes is taken back by the count', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '0.5' });
    await begun(services, 'day', 160, 8);
    await judgeDue(services);
    const gold = await goldOf(services, id);
    expect(gold).toMatchObject({ state: 'rolled_back', exposurePercent: 0, generation: 2, release: '1' });
    const { logE, thresholdLogE, count, firedBy } = gold.record;
    // The rate alone would have let it go on for ever.
    expect(logE).toBeLessThan(0);
    expect(thresholdLogE).toBeGreaterThan(5);
    expect(firedBy).toEqual(['count']);
    expect(count).toMatchObject({ total: 8, days: 1, allowed: 0.5, fired: true, perDay: { gold: 0.5 } });
    const incident = await services.db.sql.selectFrom('incident').selectAll().executeTakeFirstOrThrow();
    expect(incident.title).toContain('wrong: 8 harms in a time that allows 0.5');
    const alert = await services.db.sql.selectFrom('alert').selectAll().executeTakeFirstOrThrow();
    expect(alert.facts).toMatchObject({ segment: 'gold', harms: 8, allowed: 0.5, metric: 'wrong' });
  });

  test('harm within what a day allows is left to the rate', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '4' });
    await begun(services, 'day', 60, 3);
    await judgeDue(services);
    expect(await goldOf(services, id)).toMatchObject({
      state: 'exposed',
      record: { firedBy: [], count: { total: 3, fired: false } },
    });
  });

  test('by default a day allows the rate of what began in the baseline, whoever decided it', async () => {
    const services = await make();
    const id = await givenExposed(services, { baseline: (one) => askedOfPeople(one, 20) });
    const { perDay } = await rolloutStatus(services, id);
    // One a day, at most 31.2 in 20 days: what is declared is not the agent's to raise afterwards.
    const expected = (0.05 * (20 + 2 + 2 * Math.sqrt(21))) / 20;
    expect(perDay).toEqual([
      expect.objectContaining({ segment: 'gold', writes: 20, unasked: 0, days: 20, declared: false }),
      expect.objectContaining({ segment: 'silver', writes: 0, perDay: null }),
      expect.objectContaining({ segment: 'default', writes: 0, perDay: null }),
    ]);
    expect(perDay?.[0]?.perDay).toBeCloseTo(expected, 12);
    await begun(services, 'day', 80, 4);
    await givenCancelled(services, 'other', 'silver');
    await judgeDue(services);
    expect((await rolloutStatus(services, id)).perDay).toEqual(perDay);
    expect(await goldOf(services, id)).toMatchObject({
      state: 'rolled_back',
      record: { firedBy: ['count'] },
    });
    const { segments, pooled } = await rolloutStatus(services, id);
    const silver = segments.find(({ segment }) => segment === 'silver');
    expect(silver?.verdicts[0]).not.toHaveProperty('count');
    expect(pooled[0]).not.toHaveProperty('count');
    // Together the two keep the weight of the one; where there is no count the rate keeps all of it.
    const [own, whole] = [(await goldOf(services, id)).record, silver?.verdicts[0]];
    expect(own.weight + (own.count?.weight ?? 0)).toBeCloseTo(whole?.weight ?? 0, 12);
  });

  test('every verdict in the log is recomputed from its entry alone, day by day and exposure by exposure', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '{ gold: 0.3 }' });
    const expose = (exposure: number) =>
      services.db.sql
        .updateTable('rollout_segment')
        .set({ exposure, changed_at: services.clock.now() })
        .where('segment', '=', 'gold')
        .where('state', '=', 'exposed')
        .execute();
    const nextDay = async () => {
      await queueExposed(services);
      await judgeDue(services);
      services.clock.advance(services.dayMs);
    };
    await begun(services, 'first', 20, 1);
    await nextDay();
    await expose(5_000);
    await nextDay();
    await nextDay();
    await expose(10_000);
    await begun(services, 'fourth', 60, 6);
    await nextDay();
    const rows = await writtenLog(services.db.sql)
      .select('body')
      .where('kind', '=', 'rollout.verdict')
      .execute();
    const all = rows.map(({ body }) => JSON.parse(body).data as VerdictRecord);
    const counted = all.flatMap((entry) => (entry.segment === 'gold' ? (entry.count ?? []) : []));
    expect(counted.length).toBeGreaterThan(0);
    for (const count of counted) expect(Number(count.logE)).toBeCloseTo(recomputed(count), 3);
    const kept = await services.db.sql
      .selectFrom('verdict')
      .select('record')
      .where('rollout_id', '=', id)
      .where('segment', '=', 'gold')
      .executeTakeFirstOrThrow();
    const record = kept.record as VerdictRecord;
    expect(record.count?.logE).toBeCloseTo(recomputed(record.count as NonNullable<typeof record.count>), 3);
    expect(record.count).toMatchObject({ total: 7, days: 3.5, perDay: { gold: 0.3 } });
  });

  test('a count that took a segment back starts afresh when it is entered again, and its rate goes on', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '0.5' });
    await begun(services, 'first', 160, 8);
    await judgeDue(services);
    const input = { id, verb: 'reenter' as const, segment: 'gold', reason: 'mended' };
    await runRolloutVerb(services, managerActor(), input);
    services.clock.advance(services.dayMs);
    await givenCancelled(services, 'again');
    await judgeDue(services);
    const { record, state } = await goldOf(services, id);
    expect(state).toBe('exposed');
    expect(record).toMatchObject({ events: 169, harms: 8, firedBy: [], count: { total: 0, days: 2 } });
    const shown = (await rolloutReport(services, id)).evidence.find(({ segment }) => segment === 'gold');
    expect(shown?.breaches).toMatchObject([{ because: expect.stringContaining('8 harms in a time') }]);
    expect(shown?.processes).toMatchObject([{ firedOnDay: null, days: [{ events: 168 }, { events: 1 }] }]);
    expect(shown?.processes[0]?.days.at(-1)?.logE).toBeCloseTo(record.logE, 12);
  });

  test('quiet days count: they are time in which no harm was done', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '1' });
    await begun(services, 'day', 0, 1);
    await judgeDue(services);
    const before = (await goldOf(services, id)).record.count;
    services.clock.advance(10 * services.dayMs);
    await queueExposed(services);
    await judgeDue(services);
    const after = (await goldOf(services, id)).record.count;
    expect(after).toMatchObject({ total: 1, days: 11, allowed: 11 });
    expect(after?.logE).toBeLessThan(before?.logE ?? 0);
  });

  test('a rollout that began before harms were counted is judged as it was begun', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '0.5', baseline: forgetCompanions });
    await begun(services, 'day', 160, 8);
    await judgeDue(services);
    const gold = await goldOf(services, id);
    expect(gold.state).toBe('exposed');
    expect(gold.record).not.toHaveProperty('count');
    expect((await rolloutStatus(services, id)).perDay).toBeNull();
  });
});
