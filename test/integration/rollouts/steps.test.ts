import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { enterStep } from '../../../src/rollouts/moves.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import {
  AGENT_YAML,
  agentActor,
  approverActor,
  askInput,
  givenAdopted,
  givenAgent,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenExposed } from './support.ts';

/** A proposal of harm is one that people deny: it counts where each write asks. */
const DENIED = `  denied: { unit: conversation, business: workload, denials: true }
`;
const GUARDRAIL = '{ metric: denied, limit: 0.05, reason: the desk denies one in twenty }';

let asked = 0;
async function ask(services: TestServices, tool = 'cancel') {
  const key = `s-${asked++}`;
  const input = askInput({ subject: key, idempotencyKey: key, tool, args: { id: key } });
  return (await askAction(services, agentActor({ attributes: { tier: 'gold' } }), input)).action;
}

const begin = (services: TestServices, id: string) =>
  beginAction(services, agentActor(), { id, executionId: id });

describeWithServices('the steps of a rollout', (make) => {
  test('each write of the candidate asks while it is constrained, and runs as granted once it scales', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      metrics: DENIED,
      guardrails: GUARDRAIL,
      bounds: 'writes: ask',
    });
    const first = await ask(services);
    expect(first).toMatchObject({ state: 'pending', arm: 'candidate', release: '2' });
    await expect(begin(services, first.id)).rejects.toMatchObject({ code: 'not_approved' });
    await answerAction(services, approverActor(), { id: first.id, verdict: 'approve', reason: 'as asked' });
    await begin(services, first.id);
    const waiting = await ask(services);
    expect(await enterStep(services, { id, ...(await rolloutFacts(services, id)) }, 2)).toBe(true);
    expect(await ask(services)).toMatchObject({ state: 'approved', decided_by: 'policy' });
    // Whoever was asked before is asked still.
    await expect(begin(services, waiting.id)).rejects.toMatchObject({ code: 'not_approved' });
  });

  test('what was let through begins no more once a step asks, and an edit is held to the step as the question was', async () => {
    const services = await make();
    const id = await givenExposed(services, { bounds: 'writes: as-granted, limits: { perHour: 3 }' });
    const allowed = await ask(services);
    expect(allowed).toMatchObject({ state: 'approved', limits: { perHour: 3 } });
    // As a rollout that goes on from an earlier, stricter step.
    const stricter = (bounds: object) =>
      sql`UPDATE rollout SET plan = jsonb_set(plan, '{steps,1}', (plan #> '{steps,1}') || ${JSON.stringify(bounds)}::jsonb)
        WHERE id = ${id}`.execute(services.db.sql);
    await stricter({ writes: 'ask' });
    await services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
    await expect(begin(services, allowed.id)).rejects.toMatchObject({ details: { because: 'tightened' } });
    const asked = await ask(services);
    expect(asked.approval).toMatchObject({ standing: 'forbidden' });
    const edited = await editAction(services, approverActor(), {
      id: asked.id,
      args: { id: 'another' },
      digest: asked.args_digest,
      revision: asked.revision,
      reason: 'the right one',
    });
    expect(edited).toMatchObject({ limits: { perHour: 3 }, approval: { standing: 'forbidden' } });
    // Approved by people all the same, a tool that the step does not name begins nothing.
    await answerAction(services, approverActor('ben'), { id: asked.id, verdict: 'approve', reason: 'yes' });
    await stricter({ tools: ['pay'] });
    await expect(
      beginAction(services, agentActor(), { id: asked.id, executionId: 'e', round: 1 }),
    ).rejects.toMatchObject({ details: { because: 'tightened' } });
  });

  test('an agent whose groups changed since is told at the start who would confirm', async () => {
    const services = await make();
    const { agent } = await givenAdopted(services);
    await givenRelease(services, agent, RELEASE_2_YAML.replace('asks: desk, ', ''));
    const groups = 'approvers: { desk: [ana, ben], leads: [ben] }';
    await givenAgent(services, AGENT_YAML.replace('approvers: { desk: [ana, ben] }', groups));
    await expect(
      startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'try' }),
    ).rejects.toThrow('Step 2 of the rollout asks for each write, and this grant asks nobody for "cancel"');
  });

  test('a step grants the tools it names, within its limits, and the plan says so', async () => {
    const services = await make();
    const id = await givenExposed(services, {
      bounds: 'writes: as-granted, tools: [cancel], limits: { perHour: 2 }',
      grants: (approval) => `[{ tool: cancel, approval: ${approval} }, { tool: pay, approval: ${approval} }]`,
    });
    expect(await ask(services, 'pay')).toMatchObject({ state: 'denied', reasons: [{ code: 'not_in_step' }] });
    for (let n = 0; n < 2; n++) await begin(services, (await ask(services)).id);
    const third = await ask(services);
    await expect(begin(services, third.id)).rejects.toMatchObject({ code: 'limit_reached' });
    const { planned } = await rolloutStatus(services, id);
    expect(planned.map(({ bounds }) => bounds)).toEqual(['', 'only cancel; 2 an hour', '']);
    await enterStep(services, { id, ...(await rolloutFacts(services, id)) }, 2);
    expect(await ask(services, 'pay')).toMatchObject({ state: 'approved' });
    await begin(services, (await ask(services)).id);
  });

  test('a begin reads its segment once, and its rollout for that and for the day it counts on', async () => {
    const services = await make();
    await givenExposed(services, { bounds: 'writes: as-granted' });
    const { id, arm } = await ask(services);
    expect(arm).toBe('candidate');
    const tx = await services.db.sql.startTransaction().execute();
    const scans = async () => {
      const { rows } = await sql<{ relname: string; n: number }>`
        SELECT relname, (seq_scan + coalesce(idx_scan, 0))::int AS n FROM pg_stat_xact_user_tables`.execute(
        tx,
      );
      const of = (table: string) => rows.find(({ relname }) => relname === table)?.n ?? 0;
      return { rollout: of('rollout'), segment: of('rollout_segment') };
    };
    const before = await scans();
    const { rows: begun } = await sql<{ status: string }>`
      SELECT status FROM begin_action(${id}, 'desk', 'e', ${services.clock.now()}, 'agent', 5000, 60000)`.execute(
      tx,
    );
    const after = await scans();
    await tx.rollback().execute();
    expect(begun).toEqual([{ status: 'begun' }]);
    expect({ rollout: after.rollout - before.rollout, segment: after.segment - before.segment }).toEqual({
      rollout: 2,
      segment: 1,
    });
  });
});
