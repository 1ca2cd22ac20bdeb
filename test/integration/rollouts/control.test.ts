import { beforeEach, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { controlLogE } from '../../../src/domain/evidence/control.ts';
import { recompute } from '../../../src/domain/evidence/recorded.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { COMMITTED_WITHIN_MS } from '../../../src/rollouts/committed.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { managerActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenBegun, givenExposed, loggedBreach, report } from './support.ts';

const METRICS = `  wrong: { unit: conversation, business: workload, tool: cancel, corrections: true }
  cost: { unit: EUR, business: unit cost, kind: sum, cap: 9 }
`;
/** So wide that the rate alone never fires. */
const GUARDRAILS =
  '{ metric: wrong, limit: 0.95, reason: the rate is not what is tried, control: { ratio: 1.5 } }';

/** Two new subjects a call at most, until each arm has so many; harm in the candidate only. */
async function givenSubjects(services: TestServices, each: number, harmOf: (arm: string | null) => number) {
  const seen = { candidate: 0, control: 0 };
  for (let n = 0; Math.min(seen.candidate, seen.control) < each; n++) {
    const action = await givenBegun(services, `s${n}`);
    const arm = action.arm === 'candidate' ? 'candidate' : 'control';
    seen[arm]++;
    await report(services, action, harmOf(action.arm));
  }
  return seen;
}

/** Until what was done is of days that may be compared. */
const ripen = ({ clock, dayMs }: TestServices) => clock.advance(2 * dayMs + COMMITTED_WITHIN_MS);

async function judged(services: TestServices, id: string) {
  await queueExposed(services);
  await judgeDue(services);
  const { segments } = await rolloutStatus(services, id);
  const gold = segments.find(({ segment }) => segment === 'gold');
  const verdict = gold?.verdicts.find(({ metric }) => metric === 'wrong');
  return { state: gold?.state, verdict, control: verdict?.control };
}

describeWithServices('beside the release in force', (make) => {
  let services: TestServices;
  let id: string;
  beforeEach(async () => {
    services = await make();
    id = await givenExposed(services, { metrics: METRICS, guardrails: GUARDRAILS, exposure: 50 });
  });

  test('a candidate that does more harm than control is taken back, and its verdict is judged again by its entry', async () => {
    const seen = await givenSubjects(services, 14, (arm) => Number(arm === 'candidate'));
    // Not yet ripe: harm of one arm may be known sooner than that of the other.
    expect((await judged(services, id)).control).toMatchObject({
      treatedHarms: 0,
      controlHarms: 0,
      strata: [],
    });
    ripen(services);
    const { state, control } = await judged(services, id);
    expect(state).toBe('rolled_back');
    expect(control).toMatchObject({ treatedHarms: seen.candidate, controlHarms: 0, fired: true });
    expect(control?.strata).toMatchObject([
      { exposure: 5_000, control: { subjects: seen.control, harms: 0 } },
    ]);
    expect(control?.logE).toBeCloseTo(controlLogE(seen.candidate, 0, 0.5, 1.5), 12);
    const incident = await services.db.sql.selectFrom('incident').select('title').executeTakeFirstOrThrow();
    expect(incident.title).toContain(`${seen.candidate} harmful subjects beside 0 of the release in force`);
    const entry = await loggedBreach(services, 'wrong');
    expect(recompute(entry)).toMatchObject({ judged: { firedBy: ['control'] }, differences: [] });
  });

  test('as much harm in both arms is none of the candidate', async () => {
    await givenSubjects(services, 14, () => 1);
    ripen(services);
    expect(await judged(services, id)).toMatchObject({ state: 'exposed', control: { fired: false } });
  });

  test('what comes of a day after it was ripe is compared of neither arm; before, all of it is', async () => {
    const actions = { candidate: [] as ActionRow[], control: [] as ActionRow[] };
    for (let n = 0; Math.min(actions.candidate.length, actions.control.length) < 4; n++) {
      const action = await givenBegun(services, `s${n}`);
      actions[action.arm === 'candidate' ? 'candidate' : 'control'].push(action);
    }
    const { candidate, control } = actions;
    // Of each arm one did harm and one none, one was told of harm a little later, and of the others nobody speaks in time.
    for (const [harmful, harmless, later] of [candidate, control]) {
      if (!harmful || !harmless || !later) throw new RangeError('there are not so many');
      await report(services, harmful, 1);
      await report(services, harmless, 0);
      await report(services, later, 0);
      await report(services, later, 1, `${later.id}-later`);
    }
    ripen(services);
    const before = (await judged(services, id)).control;
    const silent = control.length - 3;
    expect(before).toMatchObject({ treatedHarms: 2, controlHarms: 2 + silent });
    expect(before?.logE).toBeCloseTo(controlLogE(2, 2 + silent, 0.5, 1.5), 12);
    const late = async (of: readonly ActionRow[], at: number, value: number) => {
      const action = of[at];
      if (action) await report(services, action, value, `${action.id}-late`);
    };
    for (const of of [candidate, control]) {
      await late(of, 1, 1);
      // Of whom nobody spoke in time nobody speaks: in control it is harm for good.
      for (let at = 3; at < of.length; at++) await late(of, at, Number(of === candidate));
    }
    const after = await judged(services, id);
    expect(after.control).toEqual(before);
    // Against the limit all of it counts.
    expect(after.verdict?.harms).toBe(candidate.length);
  });

  test('a subject counts once, where it was first seen: what it does later is no news', async () => {
    const action = await givenBegun(services, 'again');
    await report(services, action, 0);
    services.clock.advance(services.dayMs);
    await report(services, await givenBegun(services, 'again'), 1);
    ripen(services);
    const { control } = await judged(services, id);
    const [stratum] = control?.strata ?? [];
    expect([stratum?.treated, stratum?.control].map((arm) => [arm?.subjects, arm?.harms]).sort()).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  test('who began before a part was exposed, on the same day, is counted from its first time after', async () => {
    const expose = (exposure: number) =>
      services.db.sql
        .updateTable('rollout_segment')
        .set({ exposure, changed_at: services.clock.now() })
        .where('state', '=', 'exposed')
        .execute();
    await expose(0);
    services.clock.advance(1_000);
    for (let n = 0; n < 6; n++) await givenBegun(services, `s${n}`);
    services.clock.advance(1_000);
    await expose(5_000);
    services.clock.advance(1_000);
    for (let n = 0; n < 6; n++) await report(services, await givenBegun(services, `s${n}`), Number(n < 2));
    ripen(services);
    const [stratum] = (await judged(services, id)).control?.strata ?? [];
    const arms = [stratum?.treated, stratum?.control].map(
      (arm) => arm ?? { subjects: 0, harms: 0, known: 0 },
    );
    for (const { subjects, harms, known } of arms) {
      expect(known).toBeLessThanOrEqual(subjects);
      expect(harms).toBeLessThanOrEqual(known);
    }
    expect(arms.reduce((sum, { harms }) => sum + harms, 0)).toBeLessThanOrEqual(2);
  });

  test('what cannot be judged keeps no other guardrail from being, and stays due', async () => {
    const both = await make();
    const other = await givenExposed(both, {
      metrics: METRICS,
      guardrails: `${GUARDRAILS}, { metric: cost, limit: 0.5, reason: what a call costs }`,
    });
    await report(both, await givenBegun(both, 's'), 0);
    const key = {
      rollout_id: other,
      segment: 'gold',
      metric: 'wrong',
      generation: 1,
      exposure: 5_000,
      day: 0,
    };
    await both.db.sql
      .insertInto('first_count')
      .values({ ...key, arm: 'control', subjects: 0, harms: 0, known: 9 })
      .execute();
    ripen(both);
    await expect(judgeDue(both)).rejects.toThrow('Cannot compare arms');
    const { segments } = await rolloutStatus(both, other);
    const gold = segments.find(({ segment }) => segment === 'gold');
    expect(gold?.verdicts.map(({ metric }) => metric)).toEqual(['cost']);
    expect(await both.db.sql.selectFrom('judge_queue').select('segment').execute()).toEqual([
      { segment: 'gold' },
    ]);
  });

  test('nothing is entered again in a freeze', async () => {
    await givenSubjects(services, 14, (arm) => Number(arm === 'candidate'));
    ripen(services);
    expect((await judged(services, id)).state).toBe('rolled_back');
    const { manifest } = await services.db.sql
      .selectFrom('agent')
      .select('manifest')
      .executeTakeFirstOrThrow();
    const to = new Date(services.clock.now().getTime() + services.dayMs).toISOString();
    const freezes = [{ from: '2026-01-01', to, reason: 'the season of gifts' }];
    await applyAgent(services, managerActor(), { ...manifest, freezes });
    const settle = (verb: 'reenter' | 'exclude') =>
      runRolloutVerb(services, managerActor(), { id, verb, segment: 'gold', reason: 'mended' });
    await expect(settle('reenter')).rejects.toThrow(
      `Cannot reenter: a freeze until ${to}: the season of gifts`,
    );
    expect((await judged(services, id)).state).toBe('rolled_back');
    expect(await settle('exclude')).toMatchObject({ changed: true });
  });

  test('where everybody is exposed it freezes, and the rate goes on', async () => {
    await services.db.sql
      .updateTable('rollout_segment')
      .set({ exposure: 10_000, changed_at: services.clock.now() })
      .where('state', '=', 'exposed')
      .execute();
    for (let n = 0; n < 8; n++) await report(services, await givenBegun(services, `s${n}`), 1);
    ripen(services);
    expect(await judged(services, id)).toMatchObject({ verdict: { events: 8 }, control: { strata: [] } });
  });

  test('one that took a segment back starts afresh when it is entered again', async () => {
    await givenSubjects(services, 14, (arm) => Number(arm === 'candidate'));
    ripen(services);
    await judged(services, id);
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'reenter',
      segment: 'gold',
      reason: 'mended',
    });
    expect(await judged(services, id)).toMatchObject({
      state: 'exposed',
      control: { strata: [], fired: false },
    });
  });
});
