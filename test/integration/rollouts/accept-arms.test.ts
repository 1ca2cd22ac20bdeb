import { beforeEach, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { verbForms } from '../../../src/api/pages/rollout-forms.ts';
import { reportPart } from '../../../src/api/pages/rollout-report.ts';
import { armOf, bucketOf } from '../../../src/domain/decision/exposure.ts';
import { recompute } from '../../../src/domain/evidence/recorded.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { armsOf, judgeAssignment } from '../../../src/rollouts/arms.ts';
import { COMMITTED_WITHIN_MS } from '../../../src/rollouts/committed.ts';
import { countEvidence } from '../../../src/rollouts/evidence.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import type { RolloutVerb } from '../../../src/rollouts/verb.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { agentActor, approverActor, askInput, managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenBegun, givenExposed, goldOf, loggedBreach, report, tell } from './support.ts';

const METRICS = `  wrong: { unit: conversation, business: workload, tool: cancel, corrections: true }
  cost: { unit: EUR, business: unit cost, kind: sum, cap: 9 }
`;
/** So wide that the comparison alone ever fires. */
const GUARDRAILS = `{ metric: wrong, limit: 0.95, reason: the rate is not what is tried, control: { ratio: 1.5 } }, { metric: cost, limit: 8.5, reason: beside what it costs, control: { more: 0.5 } }`;

describeWithServices('arms that an owner accepts as they are', (make) => {
  let services: TestServices;
  let id: string;
  let names: Record<'candidate' | 'control', string[]>;
  beforeEach(async () => {
    services = await make();
    id = await givenExposed(services, { metrics: METRICS, guardrails: GUARDRAILS, exposure: 50 });
    const { salt } = await services.db.sql.selectFrom('rollout').select('salt').executeTakeFirstOrThrow();
    const all = Array.from({ length: 400 }, (_, n) => `s-${n}`);
    const of = (arm: string) => all.filter((name) => armOf(bucketOf(salt, name), 5_000) === arm);
    names = { candidate: of('candidate'), control: of('control') };
  });

  /** New subjects of one arm, whoever chose them. */
  const next = (arm: 'candidate' | 'control', count: number) => names[arm].splice(0, count);

  const nextOne = (): string => next('candidate', 1)[0] ?? '';

  async function ask(subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) {
      services.clock.advance(1_000);
      const input = askInput({ subject, idempotencyKey: subject, args: { id: subject } });
      await askAction(services, agentActor({ attributes: { tier: 'gold' } }), input);
    }
  }

  /** How gold stands when all that was asked is counted. */
  async function counted() {
    services.clock.advance(COMMITTED_WITHIN_MS + 1_000);
    await judgeAssignment(services);
    return (await armsOf(services.db.sql, id)).find(({ segment }) => segment === 'gold');
  }

  const verb = (which: RolloutVerb, actor = managerActor()) =>
    runRolloutVerb(services, actor, { id, verb: which, segment: 'gold', reason: 'reads are mended' });

  const waits = async () => (await rolloutStatus(services, id)).waitsFor.map((wait) => wait.for);

  const form = async () => verbForms(await rolloutStatus(services, id), ['accept-arms'], 'token').text;

  async function accepted() {
    const rows = await writtenLog(services.db.sql)
      .select('body')
      .where('kind', '=', 'rollout.accept-arms')
      .execute();
    return rows.map(({ body }) => JSON.parse(body).data);
  }

  async function compared(metric: string) {
    await queueExposed(services);
    await judgeDue(services);
    return goldOf(services, id, metric);
  }

  test('widen again, are said to be accepted, and are counted anew from then on with half the chance of a false word', async () => {
    expect(await verb('accept-arms')).toMatchObject({ changed: false });
    await ask(next('candidate', 34));
    expect(await counted()).toMatchObject({ seen: 34, mismatched: true, round: 0, accepted: null });
    expect(await waits()).toContain('arms');
    expect(await form()).toContain(`action="/rollouts/${id}/accept-arms"`);
    expect(await form()).toContain('<option value="gold">');
    // Asked before it is accepted and counted after: of the arms that are accepted.
    await ask(next('candidate', 5));
    await expect(verb('accept-arms', approverActor())).rejects.toMatchObject({ code: 'forbidden' });
    expect(await verb('accept-arms')).toMatchObject({ changed: true });
    expect(await verb('accept-arms')).toMatchObject({ changed: false });
    expect(await waits()).not.toContain('arms');
    expect(await form()).toBe('');
    expect(await accepted()).toMatchObject([
      {
        ...{ segment: 'gold', generation: 1, round: 0, reason: 'reads are mended' },
        strata: [{ exposure: 5_000, treated: 34, control: 0 }],
      },
    ]);
    expect(await counted()).toMatchObject({
      ...{ seen: 0, round: 1, mismatchedAt: null },
      accepted: { by: managerActor().id, because: 'reads are mended' },
    });
    await sequenceLog(services.db.sql);
    const page = reportPart(await rolloutReport(services, id)).text;
    expect(page).toContain('gold: since its arms were accepted no subjects yet.');
    expect(page).toMatch(/accepted as they were by \S+, .+: reads are mended; what is compared/);
    expect(page).toContain('accept-arms gold: reads are mended'.replace('-', ' '));
    // As many as were found the first time are not enough any more; with three more they are, and people are told again.
    await ask(next('candidate', 34));
    expect(await counted()).toMatchObject({ seen: 34, mismatched: false });
    await ask(next('candidate', 3));
    expect(await counted()).toMatchObject({ seen: 37, mismatched: true, mismatchedAt: expect.any(Date) });
    const status = await rolloutStatus(services, id);
    expect(status.waitsFor.filter((wait) => wait.for === 'arms')).toMatchObject([
      {
        detail: expect.stringMatching(
          /^gold: since its arms were accepted 37 of 37 subjects.+accept-arms\)$/,
        ),
      },
    ]);
    const told = await services.db.sql
      .selectFrom('alert')
      .select('id')
      .where('kind', '=', 'rollout.held')
      .execute();
    expect(told).toHaveLength(2);
    expect(await verb('accept-arms')).toMatchObject({ changed: true });
    expect(await counted()).toMatchObject({ seen: 0, round: 2, mismatched: false });
  });

  test('what was compared of them is left out: nothing widens until somebody new is compared, by half the weight', async () => {
    for (const [n, subject] of next('candidate', 34).entries()) {
      services.clock.advance(1_000);
      const action = await givenBegun(services, subject);
      await report(services, action, Number(n < 5));
      await tell(services, action, 'cost', 1);
    }
    await counted();
    services.clock.advance(2 * services.dayMs);
    const before = await compared('wrong');
    expect(before.control).toMatchObject({ treatedHarms: 5, strata: [{ treated: { subjects: 34 } }] });
    await verb('accept-arms');
    expect((await accepted())[0].compared).toEqual([
      { metric: 'cost', logE: String((await goldOf(services, id, 'cost')).difference?.logE) },
      { metric: 'wrong', logE: String(before.control?.logE) },
    ]);
    // Whoever is new on the same day may still be of those before.
    await report(services, await givenBegun(services, nextOne()), 1);
    services.clock.advance(3 * services.dayMs);
    const after = await compared('wrong');
    expect(after.control).toMatchObject({ anew: 1, treatedHarms: 0, strata: [], eValue: 1 });
    expect(after.control?.thresholdLogE).toBeCloseTo((before.control?.thresholdLogE ?? 0) + Math.log(2), 12);
    expect((await compared('cost')).difference).toMatchObject({
      anew: 1,
      logs: [],
      treated: { subjects: 0 },
    });
    const sample = async () =>
      (await rolloutStatus(services, id)).waitsFor.filter(({ detail }) =>
        detail.includes('cannot be compared'),
      );
    expect(await sample()).toMatchObject([
      { for: 'sample', segment: 'gold', detail: expect.stringContaining('wrong, cost cannot be compared') },
    ]);
    for (const arm of ['candidate', 'control'] as const)
      for (const subject of next(arm, 20)) {
        const action = await givenBegun(services, subject);
        await report(services, action, Number(arm === 'candidate'));
        await tell(services, action, 'cost', 1);
      }
    await countEvidence(services.db.sql);
    expect(await sample()).toHaveLength(1);
    services.clock.advance(2 * services.dayMs);
    expect(await sample()).toEqual([]);
    // And it takes back what it finds, by those alone.
    const { state, control } = await compared('wrong');
    expect(control).toMatchObject({ treatedHarms: 20, controlHarms: 0, anew: 1, fired: true });
    expect(state).toBe('rolled_back');
    const entry = await loggedBreach(services, 'wrong');
    expect(entry.control).toMatchObject({ anew: 1 });
    expect(recompute(entry)).toMatchObject({ judged: { firedBy: ['control'] }, differences: [] });
  });

  test('entered again instead, nobody of before is compared either', async () => {
    for (const subject of next('candidate', 34)) {
      services.clock.advance(1_000);
      await report(services, await givenBegun(services, subject), 0);
    }
    await counted();
    await verb('rollback');
    await verb('reenter');
    services.clock.advance(services.dayMs);
    await report(services, await givenBegun(services, nextOne()), 0);
    services.clock.advance(2 * services.dayMs);
    expect((await compared('wrong')).control).toMatchObject({
      ...{ anew: 1, strata: [{ treated: { subjects: 1 } }] },
    });
  });
});
