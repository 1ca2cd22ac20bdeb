import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { actionById } from '../../../src/records/action.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { agentActor, approverActor, askInput, managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

const guardrail = (early: string) =>
  `{ metric: wrong, limit: 0.05, reason: twice what the desk gets wrong, early: ${early} }`;

/** So many harmful cancellations of gold; four of them are an e-value of some hundreds, and no breach of 1/(alpha x weight) yet. */
async function givenHarms(services: TestServices, count: number, of = 'g'): Promise<void> {
  for (let n = 0; n < count; n++) await report(services, await givenCancelled(services, `${of}-${n}`), 1);
  await judgeDue(services);
}

async function ask(services: TestServices, subject: string, tier = 'gold') {
  const actor = agentActor({ attributes: { tier } });
  const input = askInput({ subject, idempotencyKey: subject, args: { id: subject } });
  return (await askAction(services, actor, input)).action;
}

const stateOf = async (services: TestServices, id: string) => {
  const { status, segments } = await rolloutStatus(services, id);
  const gold = segments.find(({ segment }) => segment === 'gold');
  return { status, state: gold?.state, asks: gold?.asks, exposed: gold?.exposurePercent };
};

const alertsOf = (services: TestServices) =>
  services.db.sql.selectFrom('alert').select(['kind', 'facts']).orderBy('created_at').execute();

describeWithServices('before a breach', (make) => {
  test('each write asks in that segment, nobody else’s does, and what was let through does not begin', async () => {
    const services = await make();
    const id = await givenExposed(services, { guardrails: guardrail('{ ask: 10 }') });
    const unbegun = await ask(services, 'unbegun');
    expect(unbegun.state).toBe('approved');
    await givenHarms(services, 2);
    expect(await stateOf(services, id)).toEqual({
      ...{ status: 'running', state: 'exposed', asks: true, exposed: 100 },
    });
    await expect(
      beginAction(services, agentActor(), { id: unbegun.id, executionId: 'e' }),
    ).rejects.toMatchObject({ code: 'stopped', details: { because: 'tightened' } });
    expect((await ask(services, 'gold-1')).state).toBe('pending');
    expect((await ask(services, 'silver-1', 'silver')).state).toBe('approved');
    expect(await alertsOf(services)).toMatchObject([
      {
        kind: 'rollout.tightened',
        facts: {
          segment: 'gold',
          because: expect.stringMatching(/^gold: wrong may be worse .*no breach yet.*each write asks/),
        },
      },
    ]);
  });

  test('is done once, and lasts until an owner eases it', async () => {
    const services = await make();
    const id = await givenExposed(services, { guardrails: guardrail('{ ask: 10 }') });
    await givenHarms(services, 2);
    const input = { id, verb: 'ease' as const, segment: 'gold', reason: 'looked at' };
    await expect(runRolloutVerb(services, approverActor(), input)).rejects.toMatchObject({
      code: 'forbidden',
    });
    expect(await runRolloutVerb(services, managerActor(), input)).toMatchObject({ changed: true });
    expect(await runRolloutVerb(services, managerActor(), input)).toMatchObject({ changed: false });
    expect((await ask(services, 'gold-1')).state).toBe('approved');
    await queueExposed(services);
    await judgeDue(services);
    expect((await stateOf(services, id)).asks).toBe(false);
    expect(await alertsOf(services)).toHaveLength(1);
    const told = await writtenLog(services.db.sql)
      .select('kind')
      .where('kind', 'in', ['rollout.early_response', 'rollout.ease'])
      .execute();
    expect(told).toHaveLength(2);
  });

  test('exposure goes back a step and the rollout is paused; subjects beyond it are in control at once', async () => {
    const services = await make();
    const id = await givenExposed(services, { guardrails: guardrail('{ shrink: 10 }') });
    await givenHarms(services, 2);
    expect(await stateOf(services, id)).toEqual({
      ...{ status: 'paused', state: 'exposed', asks: false, exposed: 50 },
    });
    const arms = new Set<string>();
    for (let n = 0; n < 40; n++) {
      const action = await ask(services, `s-${n}`);
      arms.add(`${action.arm} ${(action.bucket ?? 0) < 5_000}`);
    }
    expect([...arms].sort()).toEqual(['candidate true', 'control false']);
    expect(await alertsOf(services)).toMatchObject([
      {
        kind: 'rollout.held',
        facts: {
          because: expect.stringContaining('goes back to 50 % (rollout ease), and the rollout is paused'),
        },
      },
    ]);
    // Going on leaves it there, and nothing widens, until an owner eases it.
    await runRolloutVerb(services, managerActor(), { id, verb: 'resume', reason: 'looked at' });
    await queueExposed(services);
    await judgeDue(services);
    expect(await stateOf(services, id)).toMatchObject({ status: 'running', exposed: 50 });
    const waits = async () => (await rolloutStatus(services, id)).waitsFor.map((wait) => wait.for);
    expect(await waits()).toContain('ease');
    const advance = { id, verb: 'advance' as const, reason: 'go on' };
    await expect(runRolloutVerb(services, managerActor(), advance)).rejects.toMatchObject({
      code: 'gate_not_ready',
    });
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'ease',
      segment: 'gold',
      reason: 'looked at',
    });
    expect((await stateOf(services, id)).exposed).toBe(100);
    expect(await waits()).not.toContain('ease');
  });

  test('what waited beyond it is void, and two guardrails take one step back together', async () => {
    const services = await make();
    const two = (metric: string) =>
      `{ metric: ${metric}, limit: 0.05, reason: two of a kind, early: { shrink: 10 } }`;
    const id = await givenExposed(services, {
      metrics: `  wrong: { unit: conversation, business: workload, tool: cancel, corrections: true }
  other: { unit: conversation, business: workload, tool: cancel, corrections: true }
`,
      guardrails: `${two('wrong')}, ${two('other')}`,
      grants: (approval) => `[{ tool: cancel, approval: ${approval} }, { tool: pay, approval: desk }]`,
    });
    const waiting = await askAction(
      services,
      agentActor({ attributes: { tier: 'gold' } }),
      askInput({ subject: 'w', idempotencyKey: 'w', tool: 'pay', args: { id: 'w' } }),
    );
    expect(waiting.action.state).toBe('pending');
    for (let n = 0; n < 2; n++) {
      const action = await givenCancelled(services, `g-${n}`);
      await correctAction(services, approverActor(), { id: action.id, reason: 'the wrong room' });
    }
    await judgeDue(services);
    expect(await stateOf(services, id)).toMatchObject({ status: 'paused', exposed: 50 });
    expect(await actionById(services.db.sql, waiting.action.id)).toMatchObject({
      state: 'superseded',
      superseded_because: 'tightened',
    });
  });

  test('a hold holds whatever raises the revision of the rollout at that moment, and lets nobody wait at the gate', async () => {
    const services = await make();
    const id = await givenExposed(services, { guardrails: guardrail('{ hold: 10 }') });
    const epoch = async () =>
      (await services.db.sql.selectFrom('installation').select('epoch').executeTakeFirstOrThrow()).epoch;
    for (let n = 0; n < 2; n++) await report(services, await givenCancelled(services, `g-${n}`), 1);
    const before = await epoch();
    // Between the reading of the rollout and its pausing.
    await sql`CREATE FUNCTION raised() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      UPDATE rollout SET revision = revision + 1 WHERE id = NEW.rollout_id; RETURN NEW; END $$`.execute(
      services.db.sql,
    );
    await sql`CREATE TRIGGER raises BEFORE UPDATE OF early ON verdict FOR EACH ROW EXECUTE FUNCTION raised()`.execute(
      services.db.sql,
    );
    await judgeDue(services);
    expect((await stateOf(services, id)).status).toBe('paused');
    expect(await epoch()).toBe(before);
  });

  test('of what has completed only a breach takes anything away', async () => {
    const services = await make();
    const id = await givenExposed(services, { guardrails: guardrail('{ ask: 10, hold: 10 }') });
    const actions = [await givenCancelled(services, 'one'), await givenCancelled(services, 'other')];
    await services.db.sql
      .updateTable('rollout')
      .set({ status: 'completed', ended_at: services.clock.now() })
      .execute();
    for (const action of actions) await report(services, action, 1);
    await judgeDue(services);
    expect(await stateOf(services, id)).toMatchObject({ status: 'completed', asks: false });
    expect(await alertsOf(services)).toEqual([]);
  });

  test('nothing of it happens below its e-value, and a breach still takes the segment back', async () => {
    const services = await make();
    const id = await givenExposed(services, { guardrails: guardrail('{ ask: 140, hold: 130 }') });
    await givenHarms(services, 1);
    expect(await stateOf(services, id)).toMatchObject({ status: 'running', asks: false });
    await givenHarms(services, 12, 'more');
    expect(await stateOf(services, id)).toMatchObject({ state: 'rolled_back' });
  });
});
