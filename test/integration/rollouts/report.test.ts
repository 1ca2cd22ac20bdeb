import { expect, test } from 'vitest';
import { applyRates } from '../../../src/agents/rates.ts';
import { reportDocument } from '../../../src/api/pages/rollout-report.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { type RolloutReport, rolloutReport } from '../../../src/reports/rollout.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { pastCounts } from '../../../src/statistics/past-counts.ts';
import { managerActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { type Exposed, givenCancelled, givenExposed, report } from './support.ts';

/** Harm from the third day on in gold; silver is quiet. */
async function givenBreach(
  services: TestServices,
  before: () => Promise<void> = async () => {},
  exposed: Exposed = {},
): Promise<string> {
  const id = await givenExposed(services, exposed);
  await before();
  for (let day = 0; day < 4; day++) {
    await report(services, await givenCancelled(services, `s-${day}`, 'silver'), 0);
    for (let n = 0; n < 4; n++)
      await report(services, await givenCancelled(services, `g-${day}-${n}`), day > 1 && n < 3 ? 1 : 0);
    services.clock.advance(services.dayMs);
  }
  await judgeDue(services);
  await sequenceLog(services.db.sql);
  return id;
}

const goldOf = ({ evidence }: RolloutReport) => evidence.find(({ segment }) => segment === 'gold');

describeWithServices('the report of a rollout', (make) => {
  test('has plan, exposure, timeline and the evidence of each day, and where it was taken back', async () => {
    const services = await make();
    const id = await givenBreach(services);
    const found = await rolloutReport(services, id);
    expect(found.rollout.planned.map(({ state }) => state)).toEqual(['done', 'now', 'next']);
    expect(found.exposures.find(({ segment }) => segment === 'gold')?.spans).toEqual([
      { fromDay: 0, toDay: 4, percent: 100 },
    ]);
    const gold = goldOf(found);
    expect(gold).toMatchObject({ verdict: 'breach', business: 'workload', limit: 0.05 });
    const [process] = gold?.processes ?? [];
    expect(process?.days.map(({ events, harms }) => [events, harms])).toEqual([
      [4, 0],
      [4, 0],
      [4, 3],
      [4, 3],
    ]);
    expect(process?.days.at(-1)?.value).toBe(6 / 16);
    expect(process?.firedOnDay).toBe(4);
    expect(gold?.breaches).toMatchObject([{ day: 4 }]);
    // The last day is what the judge saw.
    const { segments } = found.rollout;
    const judged = segments.find(({ segment }) => segment === 'gold')?.verdicts[0];
    expect(process?.days.at(-1)?.logE).toBeCloseTo(judged?.logE ?? 0, 12);
    expect(gold?.trigger).toBeCloseTo(Math.exp(judged?.thresholdLogE ?? 0), 9);
    expect(found.timeline.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['rollout.started', 'rollout.step_entered', 'rollout.rolled_back']),
    );
    expect(found.timeline.find(({ kind }) => kind === 'rollout.rolled_back')?.text).toContain('gold');
  });

  test('a process that fired ends, and the next generation begins another', async () => {
    const services = await make();
    const id = await givenBreach(services);
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'reenter',
      segment: 'gold',
      reason: 'mended',
    });
    await report(services, await givenCancelled(services, 'again'), 0);
    await judgeDue(services);
    const processes = goldOf(await rolloutReport(services, id))?.processes ?? [];
    expect(processes.map(({ days, firedOnDay }) => [days.length, firedOnDay])).toEqual([
      [4, 4],
      [1, null],
    ]);
  });

  test('says what the harm costs by the declared rates, and so does the breach; no judgement rests on it', async () => {
    const services = await make();
    const before = goldOf(await rolloutReport(services, await givenBreach(services)));
    expect(before?.cost).toBeNull();
    const priced = await make();
    const id = await givenBreach(priced, async () => {
      await applyRates(priced, managerActor(), {
        agent: 'desk',
        currency: 'EUR',
        owner: 'olga',
        rates: [{ metric: 'wrong', amount: 40, validFrom: '2020-01-01', reason: 'two calls' }],
      });
    });
    const gold = goldOf(await rolloutReport(priced, id));
    const inputs = ['6 x 40 EUR (olga, from 2020-01-01)'];
    expect(gold?.cost).toEqual({ amount: 240, currency: 'EUR', inputs });
    expect(gold?.processes).toEqual(before?.processes);
    const page = reportDocument(await rolloutReport(priced, id)).text;
    expect(page).toContain(`In workload: 240 EUR: ${inputs[0]}`);
    const { facts } = await priced.db.sql
      .selectFrom('alert')
      .select('facts')
      .where('kind', '=', 'rollout.rolled_back')
      .executeTakeFirstOrThrow();
    expect(facts).toMatchObject({ costs: `240 EUR: ${inputs[0]}` });
  });

  test('of a guardrail that only reports it says what it would have done', async () => {
    const services = await make();
    const id = await givenBreach(services, async () => {}, {
      guardrails:
        '{ metric: wrong, limit: 0.05, reason: tried out, action: report }, { metric: other, limit: 0.5, reason: x }',
      metrics: `  wrong: { unit: conversation, business: workload, tool: cancel, decidedBy: policy }
  other: { unit: conversation, business: workload }
`,
    });
    const found = await rolloutReport(services, id);
    expect(found.rollout.segments.find(({ segment }) => segment === 'gold')?.state).toBe('exposed');
    const gold = found.evidence.find(({ segment, metric }) => segment === 'gold' && metric === 'wrong');
    expect(gold).toMatchObject({ trigger: null, wouldOnDay: 3 });
    expect(reportDocument(found).text).toContain('It only reports, and would have taken back on day 4.');
    const windows = await pastCounts(services, managerActor(), 'desk');
    expect(windows.find(({ segment, metric }) => segment === 'gold' && metric === 'wrong')).toMatchObject({
      rollout: id,
      arm: 'candidate',
      days: [
        { day: 0, events: 4, harms: 0, known: 4 },
        { day: 1 },
        { day: 2, harms: 3 },
        { day: 3, harms: 3 },
      ],
    });
  });

  test('of one that has ended it is the same bytes each time, and one file', async () => {
    const services = await make();
    const id = await givenBreach(services);
    await runRolloutVerb(services, managerActor(), { id, verb: 'rollback', reason: '<b>no</b>' });
    await sequenceLog(services.db.sql);
    const first = await rolloutReport(services, id);
    const once = reportDocument(first).text;
    services.clock.advance(9 * services.dayMs);
    const later = await rolloutReport(services, id);
    expect(JSON.stringify(later)).toBe(JSON.stringify(first));
    expect(reportDocument(later).text).toBe(once);
    expect(once).toContain('<svg');
    expect(once).toContain('takes back at E');
    expect(once).toContain('&lt;b&gt;no&lt;/b&gt;');
    // Nothing beside it is needed, and nothing runs.
    expect(once).not.toMatch(/<script|src="|href="(?!data:,)/);
  });

  test('before anything is exposed it says so', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const { evidence } = await rolloutReport(services, id);
    expect(evidence).toEqual([]);
    expect(reportDocument(await rolloutReport(services, id)).text).toContain('Nothing is counted yet');
  });
});
