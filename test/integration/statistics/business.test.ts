import { beforeAll, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { applyRates } from '../../../src/agents/rates.ts';
import { createApi } from '../../../src/api/server.ts';
import { recordOutcomes } from '../../../src/outcomes/record.ts';
import { call } from '../../support/api.ts';
import { agentActor, askInput, givenAdopted, givenToken, managerActor } from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { answer, execute } from '../approvals/people.ts';

const DAY_MS = 86_400_000;

const AGENT = `agent: desk
people: { olga: {}, ana: {}, ben: {}, cleo: {} }
owners: [olga]
onCall: [cleo]
approvers: { desk: [ana, ben] }
attributes: { tier: string }
segments: [{ name: gold, when: 'context.tier == "gold"' }]
metrics:
  wrong: { unit: conversation, business: Correction workload, tool: cancel, corrections: true }
  tokens: { unit: thousand tokens, business: Unit cost, kind: sum, measures: model-cost }
  turns: { unit: turns, business: Customer effort, kind: sum, measures: turns }
  handed-over: { unit: conversation, business: Escalations, measures: hand-over }
tools:
  lookup: { kind: read, args: { type: object } }
  cancel: { kind: write, args: { type: object, properties: { id: { type: string } } } }
`;
const RELEASE = `agent: desk
release: 1
grants:
  - { tool: lookup }
  - { tool: cancel, approval: { group: desk, expiresIn: 1h } }
`;

describeWithServices('business figures', (make) => {
  let services: TestServices;
  const ask = async (subject: string, tier = 'gold') => {
    const input = askInput({ tool: 'cancel', args: { id: subject }, subject, idempotencyKey: subject });
    return (await askAction(services, agentActor({ attributes: { tier } }), input)).action;
  };
  const through = async (subject: string, tier?: string) => {
    const asked = await ask(subject, tier);
    services.clock.advance(120_000);
    return execute(services, (await answer(services, asked, 'ana')).action);
  };
  const report = (action: string, metric: string, value: number) =>
    recordOutcomes(services, managerActor(), {
      agent: 'desk',
      outcomes: [{ id: `${action} ${metric}`, action, metric, value }],
    });

  beforeAll(async () => {
    services = await make();
    await givenAdopted(services, { agentYaml: AGENT, releaseYaml: RELEASE });
    await applyRates(services, managerActor(), {
      agent: 'desk',
      currency: 'USD',
      owner: 'olga',
      rates: [
        { metric: 'wrong', amount: 60, validFrom: '2020-01-01', reason: 'two calls' },
        { metric: 'tokens', amount: 0.5, validFrom: '2020-01-01', reason: 'price list' },
      ],
      work: [{ perMinute: 1, correction: 10, handOver: 5, validFrom: '2020-01-01', reason: 'payroll' }],
    });
    const right = await through('right');
    await report(right.id, 'tokens', 4);
    await report(right.id, 'turns', 6);
    const wrong = await through('wrong');
    await report(wrong.id, 'tokens', 2);
    await correctAction(services, managerActor(), { id: wrong.id, reason: 'Wrong guest' });
    await answer(services, await ask('refused'), 'ben', { verdict: 'deny' });
    const handed = await through('handed', 'silver');
    await report(handed.id, 'handed-over', 1);
    const over = await answer(services, await ask('over-blocked', 'silver'), 'ben', { verdict: 'deny' });
    await correctAction(services, managerActor(), { id: over.action.id, reason: 'It was right' });
    await ask('expired', 'silver');
    services.clock.advance(2 * 3_600_000);
    await sweepActions(services);
    services.clock.advance(3 * DAY_MS);
    await ask('too young');
  });

  test('of what is mature: over tasks started, what was withdrawn, expired or handed over stays in', async () => {
    const app = await createApi(services);
    const as = await givenToken(services, 'auditor');
    const { status, json } = await call(app, 'GET /v1/agents/desk/business?since=30d', { as });
    await app.close();
    expect(status).toBe(200);
    expect(json.whole.completion).toMatchObject({ value: 1 / 6, unknown: [] });
    expect(
      json.segments.map((one: { segment: string; figures: { completion: { value: number } } }) => [
        one.segment,
        one.figures.completion.value,
      ]),
    ).toEqual([
      ['gold', 1 / 3],
      ['default', 0],
    ]);
    expect(json.whole.effort.turns.value).toBe(6);
    expect(json.whole.effort.handOvers.value).toBe(1 / 6);
    // 3 x 2 minutes until answered, an hour until it expired
    expect(json.whole.effort.waiting.inputs[0]).toBe('66 minutes over 6 writes that waited');
    expect(json.whole.correction.inputs).toContain('1 correction x 10 minutes, as declared');
    expect(json.whole.cost.inputs).toEqual([
      'Model: 3 USD: 6 x 0.5 USD (olga, from 2020-01-01)',
      expect.stringContaining('People (minutes): '),
      'Harm (wrong): 60 USD: 1 x 60 USD (olga, from 2020-01-01)',
      '1 right task',
    ]);
    expect(json.whole.cost.unknown).toContain('tools: no metric measures tool-cost');
    expect(json.controls).toMatchObject([
      { tool: 'cancel', stopped: { writes: 1, amount: 60 }, friction: { overBlocked: 1 } },
    ]);
    expect(json.arms).toEqual([]);
    expect(json.before.whole.completion.value).toBeNull();
  });

  test('a period before anything was recorded says that nothing is known', async () => {
    const app = await createApi(services);
    const as = await givenToken(services, 'auditor');
    const path = 'GET /v1/agents/desk/business?since=2025-01-01&until=2025-02-01';
    const { json } = await call(app, path, { as });
    expect(json.whole.completion).toMatchObject({
      value: null,
      unknown: ['nobody started a task that is old enough'],
    });
    const bad = await call(app, 'GET /v1/agents/desk/business?since=soon', { as });
    expect(bad).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
    await app.close();
  });
});
