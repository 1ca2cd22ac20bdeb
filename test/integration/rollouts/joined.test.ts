import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { recompute } from '../../../src/domain/evidence/recorded.ts';
import { waitsOf } from '../../../src/domain/rollout/phase.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { completeRollout, enterStep } from '../../../src/rollouts/moves.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { agentActor, approverActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { add, ask, enter, givenTold, logged, segmentOf } from './join-support.ts';
import { givenCancelled, givenExposed } from './support.ts';

const RESERVE_OF_FIRST = (0.1 * 6) / Math.PI ** 2;

describeWithServices('a segment that a later manifest adds to an open rollout', (make) => {
  test('waits at 0 %, takes every step, is judged by a part of the reserve, and is rolled back alone', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const { plan: start } = await rolloutById(services.db.sql, id);
    await givenTold(services, 'vip', 3, 0);
    expect(await ask(services, 'vip', 'before')).toMatchObject({ segment: 'default', arm: 'candidate' });
    expect(await add(services, 'vip')).toMatchObject({
      joins: {
        ...{ rollout: id, defaultPercent: 100, moreSteps: 1, lastDay: 120 },
        segments: [
          {
            ...{ segment: 'vip', release: '1', first: { step: 3, percent: 100 } },
            triggers: [
              { metric: 'wrong', eValue: 1 / (0.05 * RESERVE_OF_FIRST), ofDefault: 1 / (0.05 * (0.4 / 3)) },
            ],
          },
        ],
      },
    });

    // Whoever it is of leaves `default`: at 0 %, on the release in force.
    expect(await ask(services, 'vip', 'after')).toMatchObject({
      ...{ segment: 'vip', arm: 'control', release: '1', state: 'pending' },
    });
    expect(await ask(services, 'gold', 'gold')).toMatchObject({ arm: 'candidate', state: 'approved' });
    expect(await segmentOf(services, id, 'vip')).toMatchObject({
      ...{ state: 'waiting', exposurePercent: 0, release: '1', changed: { why: 'joined', day: 1 } },
    });
    expect(await segmentOf(services, id, 'default')).toMatchObject({
      ...{ state: 'exposed', exposurePercent: 100, changed: { why: 'narrowed', day: 1 } },
    });
    const { plan, digests } = await rolloutById(services.db.sql, id);
    expect(plan.steps.slice(0, 2)).toEqual(
      start.steps.slice(0, 2).map((step) => ({ ...step, exposure: { ...step.exposure, vip: 0 } })),
    );
    expect(plan.shares.slice(0, start.shares.length)).toEqual(start.shares);
    expect(plan.shares.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(1);
    const [entry] = await logged(services, 'rollout.segment_joined');
    expect(entry).toMatchObject({ segment: 'vip', step: 3, control: '1', digests });
    expect(entry.weights).toEqual([{ guardrail: 'wrong', segment: 'vip', weight: String(RESERVE_OF_FIRST) }]);

    await enter(services, id, 2);
    expect(await segmentOf(services, id, 'vip')).toMatchObject({ state: 'exposed', exposurePercent: 100 });
    await givenTold(services, 'gold', 5, 0);
    await givenTold(services, 'vip', 12, 1, '-late');
    await judgeDue(services);
    const { segments } = await rolloutStatus(services, id);
    expect(segments.map(({ segment, state }) => [segment, state])).toEqual([
      ['default', 'exposed'],
      ['gold', 'exposed'],
      ['silver', 'exposed'],
      ['vip', 'rolled_back'],
    ]);
    const breach = (await logged(services, 'rollout.verdict')).find(({ verdict }) => verdict === 'breach');
    expect(breach).toMatchObject({ segment: 'vip', weight: String(RESERVE_OF_FIRST) });
    expect(Number(breach.thresholdLogE)).toBeCloseTo(-Math.log(0.05 * RESERVE_OF_FIRST), 10);
    expect(recompute(breach)?.differences).toEqual([]);
    expect(await ask(services, 'vip', 'back')).toMatchObject({ arm: 'control', release: '1' });
    expect(await ask(services, 'elsewhere', 'rest')).toMatchObject({ segment: 'default', arm: 'candidate' });
    await sequenceLog(services.db.sql);
    const { timeline } = await rolloutReport(services, id);
    expect(timeline.map(({ text }) => text)).toContain('segment joined vip: step 3');
  });

  test('with the last step it took it comes in force as the others do', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await enter(services, id, 2);
    await add(services, 'vip');
    expect(await enter(services, id, 3)).toBe(true);
    expect(await enter(services, id, 4)).toBe(true);
    expect(await completeRollout(services, { id, ...(await rolloutFacts(services, id)) })).toBe(true);
    const inForce = await services.db.sql.selectFrom('in_force').select(['segment', 'release']).execute();
    expect(inForce.map(({ segment, release }) => `${segment} ${release}`).sort()).toEqual([
      ...['default 2', 'gold 2', 'silver 2', 'vip 2'],
    ]);
    // What comes afterwards is of the next rollout.
    expect(await add(services, 'late')).not.toHaveProperty('joins');
  });

  test('what default did before proves nothing of it as it is now; what speaks against it stays', async () => {
    const services = await make();
    const id = await givenExposed(services, { limit: '0.5' });
    await givenTold(services, 'other', 18, 0);
    await givenTold(services, 'other', 2, 1, '-bad');
    services.clock.advance(3 * services.dayMs);
    await judgeDue(services);
    const before = (await segmentOf(services, id, 'default'))?.verdicts[0];
    expect(before).toMatchObject({ verdict: 'ok', events: 20, harms: 2, known: 20 });
    const waits = async () =>
      waitsOf(await rolloutFacts(services, id))
        .filter(({ segment }) => segment === 'default')
        .map(({ detail }) => detail);
    expect(await waits()).toEqual([]);

    await add(services, 'vip');
    // At once, before anything is judged again.
    expect(await waits()).toEqual([
      expect.stringContaining('default wrong: no-data, 5 more needed for the sample of 5'),
    ]);
    await judgeDue(services);
    const now = (await segmentOf(services, id, 'default'))?.verdicts[0];
    expect(now).toMatchObject({ verdict: 'inconclusive', events: 20, harms: 2, known: 0, provesFrom: 4 });
    expect(now?.logE).toBe(before?.logE);
    services.clock.advance(services.dayMs);
    await givenTold(services, 'other', 12, 0, '-again');
    services.clock.advance(3 * services.dayMs);
    await judgeDue(services);
    expect((await segmentOf(services, id, 'default'))?.verdicts[0]).toMatchObject({
      ...{ verdict: 'ok', events: 32, known: 12 },
    });
    const entries = await logged(services, 'rollout.verdict');
    expect(entries.map((entry) => recompute(entry)?.differences)).toEqual(entries.map(() => []));
  });

  test('whoever approved the gate, and whatever was planned before, saw another plan', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const planned = { id, ...(await rolloutFacts(services, id)) };
    await services.db.sql
      .updateTable('rollout')
      .set({ gate_approved_by: 'olga', gate_told_at: services.clock.now() })
      .execute();
    await add(services, 'vip');
    expect(await rolloutFacts(services, id)).toMatchObject({ gateApprovedBy: null, gateTold: false });
    expect(await enterStep(services, planned, 2)).toBe(false);
  });

  test('it is held to the step that it makes up for, whoever let a write through', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      metrics: `  denied: { unit: conversation, business: workload, denials: true }\n`,
      guardrails: '{ metric: denied, limit: 0.05, reason: the desk denies one in twenty }',
      bounds: 'writes: ask',
    });
    await enter(services, id, 2);
    await add(services, 'vip');
    expect((await rolloutStatus(services, id)).planned.map(({ bounds }) => bounds)).toEqual([
      ...['', 'each write asks', '', 'in vip each write asks', ''],
    ]);
    await enter(services, id, 3);
    expect(await ask(services, 'vip', 'v')).toMatchObject({ arm: 'candidate', state: 'pending' });
    expect(await ask(services, 'gold', 'g')).toMatchObject({ arm: 'candidate', state: 'approved' });
    const own = (segment: string) =>
      sql`UPDATE rollout SET plan = jsonb_set(plan, '{steps,3,own}', ${JSON.stringify({ [segment]: { writes: 'ask' } })})
        WHERE id = ${id}`.execute(services.db.sql);
    await own('silver');
    await givenCancelled(services, 'g2');
    await own('gold');
    await expect(givenCancelled(services, 'g', 'gold')).rejects.toMatchObject({
      details: { because: 'tightened' },
    });
  });

  test('what the guardrail says of harms a day holds for it, and counts in it alone', async () => {
    const services = await make();
    const id = await givenExposed(services, { perDay: '2' });
    await add(services, 'vip');
    const { perDay } = await rolloutStatus(services, id);
    expect(perDay?.find(({ segment }) => segment === 'vip')).toEqual({
      ...{ segment: 'vip', metric: 'wrong', perDay: 2, declared: true, later: true },
      ...{ writes: 0, unasked: 0, days: 0 },
    });
    await enter(services, id, 2);
    await givenTold(services, 'vip', 1, 1);
    await judgeDue(services);
    const { pooled } = await rolloutStatus(services, id);
    expect(Object.keys(pooled[0]?.count?.perDay ?? {}).sort()).toEqual(['default', 'gold', 'silver']);
    expect((await segmentOf(services, id, 'vip'))?.verdicts[0]?.count).toMatchObject({
      ...{ total: 1, weight: RESERVE_OF_FIRST / 2 },
    });
  });
});

const AGAINST = '{ baseline: { margin: 0.5 } }';

describeWithServices('a segment that is added where limits come from the baseline', (make) => {
  test('until then it has a baseline of its own, and default one of the days since', async () => {
    const services = await make();
    const asked = async (segment: string, key: string) => {
      const action = await ask(services, segment, key);
      await answerAction(services, approverActor(), { id: action.id, verdict: 'approve' });
      await beginAction(services, agentActor(), { id: action.id, executionId: key });
    };
    const id = await givenExposed(services, {
      limit: AGAINST,
      metrics: `  wrong: { unit: conversation, business: workload, tool: cancel, corrections: true }\n`,
      baseline: async () => {
        for (let n = 0; n < 4; n++) await asked('other', `old-${n}`);
        await add(services, 'vip');
        services.clock.advance(services.dayMs);
        for (let n = 0; n < 3; n++) await asked('other', `new-${n}`);
        for (let n = 0; n < 2; n++) await asked('vip', `vip-${n}`);
        await asked('gold', 'gold');
        services.clock.advance(3 * services.dayMs);
      },
    });
    const { baseline, perDay, planned } = await rolloutStatus(services, id);
    expect(baseline.map(({ segment, events }) => [segment, events])).toEqual([
      ['default', 3],
      ['gold', 1],
      ['silver', 0],
      ['vip', 2],
    ]);
    expect(perDay?.map(({ segment, writes, days }) => `${segment}: ${writes} in ${days}`).sort()).toEqual([
      ...['default: 3 in 3', 'gold: 1 in 4', 'silver: 0 in 4', 'vip: 2 in 3'],
    ]);
    expect(planned[1]?.exposure).toBe('100 % of everyone');
    expect(await segmentOf(services, id, 'vip')).toMatchObject({ state: 'exposed', exposurePercent: 100 });
  });
});
