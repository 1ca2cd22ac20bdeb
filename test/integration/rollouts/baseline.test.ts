import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { waitsOf } from '../../../src/domain/rollout/phase.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { countEvidence } from '../../../src/rollouts/evidence.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { agentActor, approverActor, askInput, managerActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenCancelled, givenExposed, goldOf, report, restarted, tell } from './support.ts';

const METRICS = `  wrong: { unit: conversation, business: workload, tool: cancel, corrections: true }
`;
const AGAINST = '{ baseline: { margin: 0.5 } }';

/** So many of all are wrong. */
const wrong = (count: number) => (services: TestServices, action: ActionRow, n: number) =>
  report(services, action, n < count ? 1 : 0);

/** As people are asked in the baseline: so many a day, and what came of each. */
async function askedOfPeople(
  services: TestServices,
  days: number,
  aDay: number,
  tellOf: (services: TestServices, action: ActionRow, n: number) => Promise<unknown>,
) {
  let told = 0;
  for (let day = 0; day < days; day++) {
    for (let n = 0; n < aDay; n++) {
      const key = `b-${day}-${n}`;
      const actor = agentActor({ attributes: { tier: 'gold' } });
      const { action } = await askAction(
        services,
        actor,
        askInput({ subject: key, idempotencyKey: key, args: { id: key } }),
      );
      await answerAction(services, approverActor(), { id: action.id, verdict: 'approve' });
      await beginAction(services, actor, { id: action.id, executionId: key });
      const done = await completeAction(services, actor, { id: action.id, executionId: key, ok: true });
      await tellOf(services, done, told++);
    }
    services.clock.advance(services.dayMs);
  }
  // The last day ripens.
  services.clock.advance(services.dayMs);
}

describeWithServices('a guardrail against the baseline', (make) => {
  test('its limit is locked with the baseline, per segment, and what exceeds it is taken back', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      metrics: METRICS,
      limit: AGAINST,
      baseline: (one) => askedOfPeople(one, 8, 15, wrong(4)),
    });
    const { baseline, baselineDigest } = await rolloutStatus(services, id);
    const gold = baseline.find(({ segment }) => segment === 'gold');
    expect(gold).toMatchObject({ metric: 'wrong', events: 120, harms: 4, known: 120 });
    expect(gold?.own?.upper).toBeGreaterThan(4 / 120);
    expect(gold?.own?.limit).toBeCloseTo((gold?.own?.upper ?? 0) * 1.5, 12);
    // Bounds of all segments must hold together: each is wider.
    expect(gold?.pooled?.upper).not.toBe(gold?.own?.upper);
    expect(baselineDigest).toMatch(/^[0-9a-f]{64}$/);

    for (let n = 0; n < 20; n++) await report(services, await givenCancelled(services, `g-${n}`), 1);
    for (let n = 0; n < 5; n++) await report(services, await givenCancelled(services, `s-${n}`, 'silver'), 1);
    await judgeDue(services);
    const { segments, baseline: still } = await rolloutStatus(services, id);
    expect(still).toEqual(baseline);
    const goldNow = segments.find(({ segment }) => segment === 'gold');
    expect(goldNow).toMatchObject({ state: 'rolled_back', verdicts: [{ verdict: 'breach' }] });
    expect(goldNow?.verdicts[0]?.limit).toBe(gold?.own?.limit);
    // All that went wrong before did on the first day of the week.
    services.clock.advance(2 * services.dayMs);
    const { evidence } = await rolloutReport(services, id);
    expect(evidence.find(({ segment }) => segment === 'gold')?.trend).toEqual({
      ...{ fromDay: 9, toDay: 9, events: 20, harms: 20, expected: 0, compared: 20 },
    });
    expect(evidence.find(({ segment }) => segment === 'silver')?.trend).toBeNull();
    // Nothing happened there in the baseline: no limit, no rollback, and no ok.
    expect(segments.find(({ segment }) => segment === 'silver')).toMatchObject({
      state: 'exposed',
      verdicts: [{ verdict: 'no-data', baselineThin: true }],
    });
    const waits = waitsOf(await rolloutFacts(services, id)).map(({ detail }) => detail);
    expect(waits.join('\n')).toContain(
      'silver wrong: no-data, too little happened in its baseline for a limit',
    );
  });

  test('of a sum with a cap its mean is bounded by what is left of it, and what costs more is taken back', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      metrics: `  cost: { unit: EUR, business: unit cost, kind: sum, cap: 10 }\n`,
      guardrails: `{ metric: cost, limit: ${AGAINST}, reason: half as much again }`,
      baseline: (one) => askedOfPeople(one, 8, 15, (at, action, n) => tell(at, action, 'cost', (n % 3) / 2)),
    });
    const { baseline } = await rolloutStatus(services, id);
    const gold = baseline.find(({ segment }) => segment === 'gold');
    expect(gold).toMatchObject({ events: 120, mean: 0.5, values: { sum: 60, squares: 50, over: 0 } });
    expect(gold?.own?.upper).toBeGreaterThan(0.5);
    expect(gold?.own?.upper).toBeLessThan(4);
    expect(gold?.own).toEqual(gold?.pooled);
    const limit = gold?.own?.limit ?? Number.NaN;

    const values = [0.5, 1, 8];
    for (const [n, value] of values.entries())
      await tell(services, await givenCancelled(services, `g-${n}`), 'cost', value);
    await tell(services, await givenCancelled(services, 's', 'silver'), 'cost', 9);
    await judgeDue(services);
    const found = await goldOf(services, id, 'cost');
    expect(found).toMatchObject({ limit, events: 3 });
    expect(found.logE).toBeCloseTo(restarted([values], limit), 6);
    const { segments } = await rolloutStatus(services, id);
    expect(segments.find(({ segment }) => segment === 'silver')?.verdicts).toMatchObject([
      { verdict: 'no-data', baselineThin: true, events: 1, estimate: 9, logE: 0 },
    ]);
    for (let n = 0; n < 30; n++) await tell(services, await givenCancelled(services, `m-${n}`), 'cost', 10);
    await judgeDue(services);
    expect((await goldOf(services, id, 'cost')).state).toBe('rolled_back');
    expect((await rolloutReport(services, id)).evidence).toHaveLength(2);
  });

  test('until it is locked, status says what it would be', async () => {
    const services = await make();
    let id = '';
    await givenExposed(services, {
      metrics: METRICS,
      limit: AGAINST,
      baseline: async (one) => {
        const [row] = await one.db.sql.selectFrom('rollout').select('id').execute();
        id = row?.id ?? '';
        const before = await rolloutStatus(one, id);
        expect(before.baseline.map(({ segment, own }) => [segment, own?.limit])).toEqual([
          ['default', null],
          ['gold', null],
          ['silver', null],
        ]);
        await askedOfPeople(one, 6, 15, wrong(1));
        await countEvidence(one.db.sql);
        const after = await rolloutStatus(one, id);
        expect(after.baselineDigest).toBeNull();
        expect(after.baseline.find(({ segment }) => segment === 'gold')?.own?.limit).toBeGreaterThan(0);
      },
    });
    expect(id).not.toBe('');
  });

  test('what nobody may do has no baseline: start refuses it', async () => {
    const services = await make();
    const start = () =>
      givenExposed(services, {
        metrics: METRICS.replace('tool: cancel', 'tool: pay'),
        limit: AGAINST,
      });
    await expect(start()).rejects.toMatchObject({
      code: 'preflight_failed',
      message: expect.stringContaining('no release in force grants "pay"'),
    });
    await expect(
      startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'again' }),
    ).rejects.toMatchObject({ code: 'preflight_failed' });
  });
});
