import { beforeEach, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { reportDocument } from '../../../src/api/pages/rollout-report.ts';
import { alertCard } from '../../../src/cards/alert-card.ts';
import { alertPartsOf } from '../../../src/cards/alert-facts.ts';
import { recompute } from '../../../src/domain/evidence/recorded.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { agentActor, askInput } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, goldOf, loggedBreach, restarted, tell } from './support.ts';

const LIMIT = 2;
const METRICS = `  perDone: { unit: EUR per case, business: unit cost, kind: ratio, cap: 20, perMax: 3 }
`;
const GUARDRAILS = `{ metric: perDone, limit: ${LIMIT}, reason: what a case may cost }`;

/** C + r(P - S), P what S can be at most (STATISTICS 4.2), against rP. */
const excess = (value: number, per: number): number => value + LIMIT * (3 - per);

const ALERT = {
  ...{ id: '1', kind: 'rollout.rolled_back', agent: 'desk', at: new Date(0), rollout: undefined },
  ...{ exposed: [], publicUrl: 'http://portcullis.test' },
};

/** The alert of what was taken back. */
async function heldBack(services: TestServices) {
  const { facts } = await services.db.sql
    .selectFrom('alert')
    .select('facts')
    .where('kind', '=', 'rollout.rolled_back')
    .executeTakeFirstOrThrow();
  return { facts, because: String(facts.because) };
}

describeWithServices('a ratio (cost per success)', (make) => {
  let services: TestServices;
  let id: string;
  beforeEach(async () => {
    services = await make();
    id = await givenExposed(services, { metrics: METRICS, guardrails: GUARDRAILS });
  });

  const cost = (action: ActionRow, value: number, per: number, part = '') =>
    tell(services, action, 'perDone', value, { id: part, per });

  test('is the exact process of its excess; the figure shown is what was spent by what was done', async () => {
    const days = [
      [[4, 2] as const, [1, 3] as const],
      [[9, 0] as const, [0, 1] as const, [2, 1] as const],
    ];
    for (const [day, reports] of days.entries()) {
      for (const [n, [value, per]] of reports.entries())
        await cost(await givenCancelled(services, `s${day}-${n}`), value, per);
      await judgeDue(services);
      services.clock.advance(services.dayMs);
    }
    const found = await goldOf(services, id, 'perDone');
    expect(found).toMatchObject({ events: 5, harms: null, known: 5, limit: LIMIT });
    expect(found.estimate).toBeCloseTo(16 / 7, 12);
    const excesses = days.map((reports) => reports.map(([value, per]) => excess(value, per)));
    expect(found.logE).toBeCloseTo(restarted(excesses, LIMIT * 3), 6);
    const { evidence } = await rolloutReport(services, id);
    const shown = evidence.find(({ segment }) => segment === 'gold')?.processes[0]?.days.at(-1);
    expect(shown?.value).toBeCloseTo(16 / 7, 12);
    expect(shown?.logE).toBeCloseTo(found.logE ?? 0, 12);
  });

  test('what nobody reported on is the best that it can be, so that it may only get worse', async () => {
    const action = await givenCancelled(services, 's');
    await judgeDue(services);
    const silent = await goldOf(services, id, 'perDone');
    expect(silent.logE).toBeCloseTo(restarted([[0]], LIMIT * 3), 6);
    await cost(action, 0, 3);
    await judgeDue(services);
    expect((await goldOf(services, id, 'perDone')).logE).toBeCloseTo(silent.logE ?? Number.NaN, 12);
    await cost(action, 5, 1, 'later');
    await judgeDue(services);
    expect((await goldOf(services, id, 'perDone')).logE).toBeCloseTo(
      restarted([[excess(5, 1)]], LIMIT * 3),
      6,
    );
    // More done than was said at first is no way back.
    await cost(action, 0, 3, 'again');
    await judgeDue(services);
    expect((await goldOf(services, id, 'perDone')).logE).toBeCloseTo(
      restarted([[excess(5, 1)]], LIMIT * 3),
      6,
    );
  });

  test('counts the first write of a subject and day only', async () => {
    const first = await givenCancelled(services, 's');
    services.clock.advance(1_000);
    const second = await givenCancelled(services, 's', 'gold', 'other');
    await cost(second, 90, 0);
    await cost(first, 1, 1);
    await judgeDue(services);
    expect(await goldOf(services, id, 'perDone')).toMatchObject({ events: 1, known: 1, estimate: 1 });
  });

  test('is what was said of the write that is the first now: one that failed takes its word along, and one behind it brings its own', async () => {
    const begun = async (key: string) => {
      services.clock.advance(1_000);
      const actor = agentActor({ attributes: { tier: 'gold' } });
      const { action } = await askAction(
        services,
        actor,
        askInput({ subject: 's', idempotencyKey: key, args: { id: key } }),
      );
      await beginAction(services, actor, { id: action.id, executionId: key });
      const fail = () => completeAction(services, actor, { id: action.id, executionId: key, ok: false });
      return { action: await actionById(services.db.sql, action.id), fail };
    };
    const logE = async () => {
      await judgeDue(services);
      return (await goldOf(services, id, 'perDone')).logE;
    };
    const first = await begun('first');
    const second = await begun('second');
    await cost(second.action, 3, 2);
    await cost(first.action, 4, 0);
    expect(await logE()).toBeCloseTo(restarted([[excess(4, 0)]], LIMIT * 3), 6);
    await first.fail();
    expect(await logE()).toBeCloseTo(restarted([[excess(3, 2)]], LIMIT * 3), 6);
    await second.fail();
    expect(await logE()).toBeCloseTo(restarted([[]], LIMIT * 3), 6);
    await begun('third');
    expect(await logE()).toBeCloseTo(restarted([[0]], LIMIT * 3), 6);
  });

  test('takes back what is done too seldom for its cost; its verdict is judged again by its entry alone', async () => {
    // Each one costs less than the limit; nothing is done for it.
    for (let n = 0; n < 60; n++) await cost(await givenCancelled(services, `s${n}`), 1.5, 0);
    await judgeDue(services);
    expect((await goldOf(services, id, 'perDone')).state).toBe('rolled_back');
    const breach = await loggedBreach(services, 'perDone');
    const words = 'perDone: spent, and nothing done for it, where 2 is the limit (e-value ';
    expect((await heldBack(services)).because).toContain(words);
    const again = recompute(breach);
    expect(again?.judged.verdict).toBe('breach');
    expect(again?.differences).toEqual([]);
  });

  test('is told as what it is, on the alert, its card, the report and the status', async () => {
    for (let n = 0; n < 60; n++) await cost(await givenCancelled(services, `s${n}`), 9, 3);
    await judgeDue(services);
    const { because, facts } = await heldBack(services);
    expect(because).toMatch(/^perDone: 3 EUR per case where 2 is the limit \(e-value /);
    const card = JSON.stringify(alertCard({ ...ALERT, facts: alertPartsOf(facts) }));
    expect(card).toContain('perDone: 3 EUR per case over 60 events where 2 is the limit, e-value ');
    const report = await rolloutReport(services, id);
    const page = reportDocument(report).text;
    expect(page).toContain('limit 2 EUR per case');
    expect(page).toContain('perDone: 3 EUR per case where 2 is the limit');
    for (const text of [because, card, page]) expect(text).not.toContain('in the mean');
    expect(await goldOf(services, id, 'perDone')).toMatchObject({ unit: 'EUR per case' });
    expect(recompute(await loggedBreach(services, 'perDone'))?.differences).toEqual([]);
  });

  test('is ok by its cap when enough is done, never by silence', async () => {
    const actions: ActionRow[] = [];
    for (let n = 0; n < 250; n++) actions.push(await givenCancelled(services, `s${n}`));
    services.clock.advance(3 * services.dayMs);
    await queueExposed(services);
    await judgeDue(services);
    expect((await goldOf(services, id, 'perDone')).verdict).toBe('no-data');
    for (const action of actions) await cost(action, 0.2, 3);
    await judgeDue(services);
    expect((await goldOf(services, id, 'perDone')).verdict).toBe('ok');
  });

  test('needs what it is set against, once and for all', async () => {
    const action = await givenCancelled(services, 's');
    await expect(tell(services, action, 'perDone', 1)).rejects.toThrow(/a ratio needs "per"/);
    await expect(cost(action, 1, 4)).rejects.toThrow(/from 0 to 3, not 4/);
    await cost(action, 1, 1);
    await expect(cost(action, 1, 2)).rejects.toThrow(/recorded before with another value/);
  });
});
