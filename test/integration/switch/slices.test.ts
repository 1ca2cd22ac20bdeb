import { sql } from 'kysely';
import { beforeEach, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { actionById } from '../../../src/records/action.ts';
import { followRevocation } from '../../../src/records/revocation.ts';
import { disable, pullSwitch } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenAsked,
  givenRelease,
  managerActor,
  onCallActor,
  RELEASE_2_YAML,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

const AGENTS = ['desk', 'bank'];
const TOOLS = ['cancel', 'refund'];
const yamlFor = (yaml: string, agent: string) => yaml.replace('agent: desk', `agent: ${agent}`);
const ASKS = RELEASE_YAML.replace('{ tool: lookup }', '{ tool: lookup, approval: desk }').replace(
  '{ group: desk, quorum: 2, expiresIn: 2h }',
  'desk',
);

/** What waits, was approved and has begun, of each tool of each agent, by `<agent>/<tool>/<what>`. */
async function givenActions(services: TestServices): Promise<Map<string, string>> {
  const made = new Map<string, string>();
  for (const agent of AGENTS) {
    await givenAdopted(services, {
      agentYaml: yamlFor(AGENT_YAML, agent),
      releaseYaml: yamlFor(ASKS, agent),
    });
    const actor = agentActor({ agent });
    for (const tool of ['lookup', ...TOOLS])
      for (const what of ['pending', 'approved', 'begun']) {
        if (tool === 'lookup' && what === 'begun') continue;
        const args = tool === 'refund' ? { amount: 5 } : tool === 'cancel' ? { id: 'R-1' } : {};
        const { action } = await givenAsked(services, { agent, tool, args }, actor);
        expect(action.state).toBe('pending');
        made.set(`${agent}/${tool}/${what}`, action.id);
        if (what === 'pending') continue;
        await answerAction(services, approverActor(), { id: action.id, verdict: 'approve' });
        if (what === 'begun') await beginAction(services, actor, { id: action.id, executionId: 'e' });
      }
  }
  return made;
}

describeWithServices('a stop', (make) => {
  let services: TestServices;
  let made: Map<string, string>;
  beforeEach(async () => {
    services = await make();
    made = await givenActions(services);
  });
  const disabled = async () => {
    const states = await Promise.all(
      [...made].map(async ([name, id]) => [name, (await actionById(services.db.sql, id)).state] as const),
    );
    return states.flatMap(([name, state]) => (state === 'disabled' ? [name] : []));
  };
  const waiting = (agent: string, tool: string) => [`${agent}/${tool}/pending`, `${agent}/${tool}/approved`];
  const stop = async (scope: string, reads = false) => {
    const now = services.clock.now();
    const { rows } = await sql<{ answer: { revocation: number; inFlight: { action: string }[] } }>`
      SELECT disable_switch(${scope}, ${reads}, 'fire', 'cleo', ${now}) AS answer`.execute(services.db.sql);
    const answer = rows[0]?.answer;
    const voided = await followRevocation(services.db.sql, answer?.revocation ?? 0, now);
    const names = new Map([...made].map(([name, id]) => [id, name]));
    return { voided, inFlight: answer?.inFlight.map(({ action }) => names.get(action)) };
  };

  test.each([
    ['tool/desk/cancel', waiting('desk', 'cancel'), ['desk/cancel/begun']],
    [
      'agent/desk',
      TOOLS.flatMap((tool) => waiting('desk', tool)),
      ['desk/cancel/begun', 'desk/refund/begun'],
    ],
    [
      'everything',
      AGENTS.flatMap((agent) => TOOLS.flatMap((tool) => waiting(agent, tool))),
      AGENTS.flatMap((agent) => TOOLS.map((tool) => `${agent}/${tool}/begun`)),
    ],
  ])('of %s voids what waits in it, names what has begun in it, and touches nothing else', async (...row) => {
    const [scope, voided, begun] = row;
    const answer = await stop(scope);
    expect((await disabled()).sort()).toEqual([...voided].sort());
    expect(answer.voided).toBe(voided.length);
    expect([...(answer.inFlight ?? [])].sort()).toEqual([...begun].sort());
  });

  test('of reads too voids the reads that wait; a read that was answered stays what it is', async () => {
    await stop('agent/desk', true);
    const writes = TOOLS.flatMap((tool) => waiting('desk', tool));
    expect((await disabled()).sort()).toEqual([...writes, 'desk/lookup/pending'].sort());
    const read = await actionById(services.db.sql, made.get('desk/lookup/approved') ?? '');
    expect(read.state).toBe('approved');
  });
});

describeWithServices('the switch', (make) => {
  const epochOf = async ({ db }: TestServices) =>
    Number((await db.sql.selectFrom('installation').select('epoch').executeTakeFirstOrThrow()).epoch);
  const reason = 'because';
  const readsOff = async ({ db, clock }: TestServices, scope: string, reads: boolean) => {
    await sql`SELECT disable_switch(${scope}, ${reads}, 'fire', 'cleo', ${clock.now()})`.execute(db.sql);
    const { rows } = await sql<{
      off: boolean;
    }>`SELECT switched_off('desk', 'lookup', 'read') AS off`.execute(db.sql);
    return rows[0]?.off;
  };

  test('raises the epoch with every stop and every enabling', async () => {
    const services = await make();
    await givenAdopted(services);
    const epochs = [await epochOf(services)];
    for (let round = 0; round < 2; round++) {
      await disable(services, onCallActor(), { scope: 'agent/desk', reason });
      epochs.push(await epochOf(services));
      await enable(services, onCallActor(), { scope: 'agent/desk', reason });
      epochs.push(await epochOf(services));
    }
    expect(epochs).toEqual([...new Set(epochs)].sort((a, b) => a - b));
  });

  test('keeps reads off until it was enabled, whatever a later stop says', async () => {
    const services = await make();
    await givenAdopted(services);
    const scope = 'agent/desk';
    expect(await readsOff(services, scope, false)).toBe(false);
    expect(await readsOff(services, scope, true)).toBe(true);
    expect(await readsOff(services, scope, false)).toBe(true);
    await enable(services, onCallActor(), { scope, reason });
    expect(await readsOff(services, scope, false)).toBe(false);
  });

  test('of everything asks two people anew after each stop', async () => {
    const services = await make();
    await givenAdopted(services);
    const by = async (person: string) => {
      const { status } = await enable(services, onCallActor(person), { scope: 'everything', reason });
      return status;
    };
    await pullSwitch(services, 'cleo', { scope: 'everything', reason });
    expect(await by('cleo')).toBe('second_person_needed');
    expect(await by('cleo')).toBe('second_person_needed');
    await pullSwitch(services, 'ana', { scope: 'everything', reason });
    expect(await by('ana')).toBe('second_person_needed');
    expect(await by('cleo')).toBe('enabled');
    expect(await by('ana')).toBe('already_enabled');
    await pullSwitch(services, 'cleo', { scope: 'everything', reason });
    expect(await by('ana')).toBe('second_person_needed');
  });

  test('of an agent or a tool takes one person', async () => {
    const services = await make();
    await givenAdopted(services);
    for (const scope of ['agent/desk', 'tool/desk/cancel']) {
      await disable(services, onCallActor(), { scope, reason });
      expect(await enable(services, onCallActor(), { scope, reason })).toMatchObject({ status: 'enabled' });
    }
  });

  test('holds the time of the rollouts it covers, and of no other, and tells their workflows, until nothing covers them', async () => {
    const services = await make();
    for (const agent of AGENTS) {
      await givenAdopted(services, {
        agentYaml: yamlFor(AGENT_YAML, agent),
        releaseYaml: yamlFor(RELEASE_YAML, agent),
      });
      await givenRelease(services, agentFrom(yamlFor(AGENT_YAML, agent)), yamlFor(RELEASE_2_YAML, agent));
      await startRollout(services, managerActor(), { agent, release: '2', reason });
    }
    const ticking = async () =>
      (await services.db.sql.selectFrom('rollout').selectAll().orderBy('agent').execute()).map((rollout) => [
        rollout.agent,
        rollout.ticking_since !== null,
        Number(rollout.step_elapsed_ms) / 1_000,
      ]);
    const told = async () => {
      const { rows } = await sql<{
        agent: string;
      }>`SELECT DISTINCT o.agent FROM outbox x JOIN rollout o ON o.id = x.key
        WHERE x.topic = 'rollout' ORDER BY o.agent`.execute(services.db.sql);
      await services.db.sql.deleteFrom('outbox').execute();
      return rows.map(({ agent }) => agent);
    };
    expect(await told()).toEqual(['bank', 'desk']);
    services.clock.advance(60_000);
    await disable(services, onCallActor(), { scope: 'tool/desk/cancel', reason });
    expect(await ticking()).toEqual([
      ['bank', true, 0],
      ['desk', true, 0],
    ]);
    await disable(services, onCallActor(), { scope: 'agent/desk', reason });
    expect(await ticking()).toEqual([
      ['bank', true, 0],
      ['desk', false, 60],
    ]);
    expect(await told()).toEqual(['desk']);
    services.clock.advance(60_000);
    await disable(services, onCallActor(), { scope: 'everything', reason });
    expect(await ticking()).toEqual([
      ['bank', false, 120],
      ['desk', false, 60],
    ]);
    expect(await told()).toEqual(['bank', 'desk']);
    await enable(services, onCallActor(), { scope: 'agent/desk', reason });
    expect(await told()).toEqual(['desk']);
    expect((await ticking()).map(([, ticks]) => ticks)).toEqual([false, false]);
    await disable(services, onCallActor(), { scope: 'agent/desk', reason });
    const revisions = async () =>
      (await services.db.sql.selectFrom('rollout').select('revision').orderBy('agent').execute()).map(
        ({ revision }) => revision,
      );
    const [bank = 0, desk = 0] = await revisions();
    await enable(services, onCallActor(), { scope: 'everything', reason });
    expect(await revisions()).toEqual([bank, desk]);
    await enable(services, onCallActor('ana'), { scope: 'everything', reason });
    // What a workflow planned before is out of date.
    expect(await revisions()).toEqual([bank + 1, desk + 1]);
    expect(await ticking()).toEqual([
      ['bank', true, 120],
      ['desk', false, 60],
    ]);
    await enable(services, onCallActor(), { scope: 'agent/desk', reason });
    expect(await revisions()).toEqual([bank + 1, desk + 2]);
    expect((await ticking()).map(([, ticks]) => ticks)).toEqual([true, true]);
  });
});
