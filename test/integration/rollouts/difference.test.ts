import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { reportPart } from '../../../src/api/pages/rollout-report.ts';
import { recompute } from '../../../src/domain/evidence/recorded.ts';
import { knowEvent } from '../../../src/outcomes/event.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { COMMITTED_WITHIN_MS } from '../../../src/rollouts/committed.ts';
import { countEvidence } from '../../../src/rollouts/evidence.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenBegun, givenExposed, goldOf, loggedBreach, tell } from './support.ts';

const [CAP, MORE, SHARE] = [9, 0.5, 0.5];
const METRICS = `  cost: { unit: EUR, business: unit cost, kind: sum, cap: ${CAP} }
`;
/** So high that the sum alone never fires. */
const GUARDRAILS = `{ metric: cost, limit: 8.5, reason: beside what it costs today, control: { more: ${MORE} } }`;

interface Spent {
  treated: boolean;
  value: number;
  action: ActionRow;
}

function nth(spent: readonly Spent[], treated: boolean, at: number): Spent {
  const found = spent.filter((one) => one.treated === treated)[at];
  if (!found) throw new RangeError('there are not so many');
  return found;
}

/** log of the mean over the bets of the products of 1 + k(x/m - 1), by its definition (STATISTICS 4.1, 4.3). */
function logE(spent: readonly Spent[]): number {
  const shift = CAP / (1 - SHARE);
  let mean = 0;
  for (let j = 0; j < 16; j++) {
    const bet = 0.95 * 10 ** (-2 + (2 * j) / 15);
    let product = 1;
    for (const { treated, value } of spent) {
      const z = treated ? value / SHARE : -value / (1 - SHARE);
      product *= 1 + bet * ((z + shift) / (MORE + shift) - 1);
    }
    mean += product / 16;
  }
  return Math.log(mean);
}

describeWithServices('the mean of a sum beside that of the release in force', (make) => {
  let services: TestServices;
  let id: string;
  beforeEach(async () => {
    services = await make();
    id = await givenExposed(services, { metrics: METRICS, guardrails: GUARDRAILS, exposure: 50 });
  });

  /** New subjects, until each arm has so many. */
  async function givenSpent(
    each: number,
    spentBy: (treated: boolean) => number | undefined,
  ): Promise<Spent[]> {
    const spent: Spent[] = [];
    const has = (arm: boolean) => spent.filter(({ treated }) => treated === arm).length;
    for (let n = 0; Math.min(has(true), has(false)) < each; n++) {
      const action = await givenBegun(services, `s${n}`);
      const treated = action.arm === 'candidate';
      const value = spentBy(treated);
      if (value !== undefined) await tell(services, action, 'cost', value);
      spent.push({ treated, value: value ?? (treated ? 0 : CAP), action });
    }
    return spent;
  }

  /** What was said so far is of a day that is ripe, and committed. */
  const ripen = () => services.clock.advance(2 * services.dayMs + COMMITTED_WITHIN_MS);

  async function judged() {
    await queueExposed(services);
    await judgeDue(services);
    return goldOf(services, id, 'cost');
  }

  test('what costs more is taken back by it, said with both means; its verdict is judged again by its entry', async () => {
    const spent = await givenSpent(45, (treated) => (treated ? 8 : 1));
    expect((await judged()).difference).toMatchObject({ logs: [], fired: false });
    ripen();
    const { state, difference } = await judged();
    expect(state).toBe('rolled_back');
    expect(difference).toMatchObject({ more: MORE, treatedMean: 8, controlMean: 1, fired: true, over: 0 });
    expect(difference?.logE).toBeCloseTo(logE(spent), 6);
    const page = reportPart(await rolloutReport(services, id)).text;
    expect(page).toContain('8 in the mean of');
    expect(page).toContain('of the release in force (0.5 more is let pass): e-value');
    const incident = await services.db.sql.selectFrom('incident').select('title').executeTakeFirstOrThrow();
    expect(incident.title).toContain('cost: 8 in the mean beside 1 of the release in force');
    const entry = await loggedBreach(services, 'cost');
    expect(recompute(entry)).toMatchObject({ judged: { firedBy: ['control'] }, differences: [] });
  });

  test('of whom nobody said anything a treated one has spent nothing, and one in control the cap', async () => {
    const spent = await givenSpent(4, () => undefined);
    ripen();
    const { difference } = await judged();
    expect(difference).toMatchObject({ treatedMean: null, controlMean: null, fired: false });
    expect(difference?.logE).toBeCloseTo(logE(spent), 6);
  });

  test('what is said after a day was ripe is compared of neither arm; before, all of it is', async () => {
    const spent = await givenSpent(4, (treated) => (treated ? 3 : 1));
    const of = (treated: boolean, at: number) => nth(spent, treated, at);
    for (const one of [of(true, 0), of(false, 0)]) {
      await tell(services, one.action, 'cost', 2, { id: 'more' });
      one.value += 2;
    }
    ripen();
    const before = (await judged()).difference;
    expect(before?.logE).toBeCloseTo(logE(spent), 6);
    for (const one of [of(true, 0), of(true, 1), of(false, 0), of(false, 1)])
      await tell(services, one.action, 'cost', 5, { id: 'late' });
    expect((await judged()).difference).toMatchObject({
      logE: before?.logE,
      treatedMean: before?.treatedMean,
      controlMean: before?.controlMean,
    });
    // Of whom nobody spoke in time nobody speaks: in control it is the cap for good.
    const action = await givenBegun(services, 'silent');
    ripen();
    await tell(services, action, 'cost', 0);
    spent.push({ treated: action.arm === 'candidate', value: action.arm === 'candidate' ? 0 : CAP, action });
    expect((await judged()).difference?.logE).toBeCloseTo(logE(spent), 6);
  });

  /** Tells it now, in a transaction that is open until what this returns is called. */
  async function underWay(action: ActionRow, value: number) {
    const tx = await services.db.sql.startTransaction().execute();
    await knowEvent(tx, action, 'cost', value, services.clock.now());
    return () => tx.commit().execute();
  }

  test('what is under way when its day becomes ripe is waited for, and compared', async () => {
    const spent = await givenSpent(4, (treated) => (treated ? 3 : 1));
    services.clock.advance(2 * services.dayMs - 1);
    const control = nth(spent, false, 0);
    const commit = await underWay(control.action, 2);
    services.clock.advance(COMMITTED_WITHIN_MS);
    expect((await judged()).difference).toMatchObject({ logs: [] });
    await commit();
    control.value += 2;
    services.clock.advance(1);
    // Committed, and counted by nobody yet.
    await sql`SELECT stand_before(${id}, 'cost', 1)`.execute(services.db.sql);
    expect((await judged()).difference?.logE).toBeCloseTo(logE(spent), 6);
  });

  test('what is under way for longer is compared by nobody, whoever reads it when', async () => {
    const spent = await givenSpent(4, (treated) => (treated ? 3 : 1));
    services.clock.advance(2 * services.dayMs - 1);
    const commit = await underWay(nth(spent, false, 0).action, 2);
    services.clock.advance(COMMITTED_WITHIN_MS + 1);
    const before = (await judged()).difference;
    expect(before?.logE).toBeCloseTo(logE(spent), 6);
    await commit();
    expect((await judged()).difference).toMatchObject({
      logE: before?.logE,
      controlMean: before?.controlMean,
    });
    ripen();
    expect((await judged()).difference).toMatchObject({
      logE: before?.logE,
      controlMean: before?.controlMean,
    });
  });

  test('what was said in time and is counted behind what came late of the same subject is no part of it either', async () => {
    const spent = await givenSpent(4, (treated) => (treated ? 3 : 1));
    const { action } = nth(spent, false, 0);
    services.clock.advance(2 * services.dayMs - 1);
    const commit = await underWay(action, 2);
    services.clock.advance(1);
    await tell(services, action, 'cost', 5, { id: 'late' });
    await countEvidence(services.db.sql);
    await commit();
    services.clock.advance(COMMITTED_WITHIN_MS);
    expect((await judged()).difference?.logE).toBeCloseTo(logE(spent), 6);
  });

  test('above its cap control compares nothing, and the candidate weighs as it is: the worse it does, the surer', async () => {
    let n = 0;
    const spent = await givenSpent(4, (treated) => (treated ? CAP + 1 : n++ === 0 ? 0 : 1));
    ripen();
    const { difference } = await judged();
    expect(difference).toMatchObject({ over: 0, treatedMean: CAP + 1 });
    expect(difference?.logE).toBeCloseTo(logE(spent), 6);
    let control: { id: string } | undefined;
    for (let m = 0; control === undefined; m++) {
      const action = await givenBegun(services, `o${m}`);
      if (action.arm === 'candidate') continue;
      control = action;
      await tell(services, action, 'cost', CAP + 1);
    }
    ripen();
    expect((await judged()).difference).toMatchObject({ over: 1, logE: 0, fired: false });
  });

  test('where everybody is exposed it adds nothing', async () => {
    await services.db.sql
      .updateTable('rollout_segment')
      .set({ exposure: 10_000, changed_at: services.clock.now() })
      .where('state', '=', 'exposed')
      .execute();
    for (let n = 0; n < 4; n++) await tell(services, await givenBegun(services, `s${n}`), 'cost', CAP);
    ripen();
    expect(await judged()).toMatchObject({ events: 4, difference: { logs: [], treated: { subjects: 0 } } });
  });
});
