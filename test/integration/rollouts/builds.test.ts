import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import type { Actor } from '../../../src/actor.ts';
import { createDeputy, revokeDeputy } from '../../../src/approvals/deputies.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import type { RolloutVerb } from '../../../src/rollouts/verb.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import {
  actorOf,
  agentActor,
  approverActor,
  askInput,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { givenExposed, report } from './support.ts';

let services: TestServices;
let rollout: string;
let asked = 0;
beforeAll(async () => {
  services = await createTestServices();
  rollout = await givenExposed(services);
});
afterAll(() => services.close());

async function ask(agentVersion: string, more: Record<string, unknown> = {}, actor: Partial<Actor> = {}) {
  const key = `k-${asked++}`;
  const input = askInput({ subject: key, idempotencyKey: key, args: { id: key }, agentVersion, ...more });
  return (await askAction(services, agentActor(actor), input)).action;
}
async function work(agentVersion: string, value = 0) {
  const { id } = await ask(agentVersion);
  await beginAction(services, agentActor(), { id, executionId: id });
  await report(
    services,
    await completeAction(services, agentActor(), { id, executionId: id, ok: true }),
    value,
  );
}
const held = async () => (await rolloutById(services.db.sql, rollout)).held_for_version;
const resume = (evidence?: 'anew' | 'go-on') =>
  runRolloutVerb(services, managerActor(), { id: rollout, verb: 'resume', reason: 'looked at it', evidence });
const gold = async () => {
  await judgeDue(services);
  const status = await rolloutStatus(services, rollout);
  return { ...status, gold: status.segments.find(({ segment }) => segment === 'gold')?.verdicts[0] };
};

describe('a new build of the agent', () => {
  test('holds when something of it is allowed or waits, not when it is denied or asked by hand', async () => {
    for (let n = 0; n < 6; n++) await work('1.0');
    expect((await ask('9.9', { tool: 'nonsense' })).state).toBe('denied');
    expect((await ask('9.9', { args: { id: 5 } })).state).toBe('denied');
    await ask('cli', {}, { via: 'cli' });
    expect(await held()).toBeNull();
    await work('1.1');
    expect(await held()).toBe('1.1');
    services.clock.advance(600_000);
    expect((await gold()).waitsFor[0]).toMatchObject({
      for: 'agent-version',
      detail: expect.stringMatching(
        /^agent version 1.1 is new, first seen 10 min ago: .*begins the sample anew/,
      ),
    });
  });

  test('begins the sample anew by default, while what takes a release back is of all builds', async () => {
    expect((await gold()).gold).toMatchObject({ known: 6, events: 7 + 1 - 1 });
    expect(await resume()).toMatchObject({ detail: expect.stringContaining('begins anew') });
    const after = await gold();
    expect(after.gold).toMatchObject({ known: 1, events: 7 });
    expect(after.waitsFor).toContainEqual(
      expect.objectContaining({ for: 'sample', segment: 'gold', needed: 4 }),
    );
    expect(after.builds).toMatchObject([
      {
        version: '1.0',
        counts: false,
        events: [{ segment: 'gold', metric: 'wrong', events: 6, harms: 0, known: 6 }],
      },
      { version: '1.1', counts: true, events: [{ segment: 'gold', events: 1, known: 1 }] },
    ]);
  });

  test('that was resumed once never holds again: two side by side do not hold each other', async () => {
    for (let n = 0; n < 3; n++) {
      await work('1.0');
      await work('1.1');
      expect(await held()).toBeNull();
    }
    await expect(resume('go-on')).rejects.toMatchObject({ code: 'wrong_state' });
  });

  test('goes on with the sample so far where a person says so', async () => {
    await work('1.2');
    expect(await held()).toBe('1.2');
    await resume('go-on');
    expect((await gold()).gold).toMatchObject({ known: 5, builds: ['1.1', '1.2'] });
    const entries = await writtenLog(services.db.sql)
      .select('body')
      .where('kind', '=', 'rollout.resume')
      .orderBy('n')
      .execute();
    expect(entries.map(({ body }) => JSON.parse(body).data)).toMatchObject([
      { agentVersion: '1.1', evidence: 'anew' },
      { agentVersion: '1.2', evidence: 'go-on' },
    ]);
  });
});

describe("a gate is an owner's", () => {
  const verbs: RolloutVerb[] = ['approve-gate', 'advance', 'reject-gate', 'reenter', 'exclude'];
  const say = (actor: Actor, verb: RolloutVerb) =>
    runRolloutVerb(services, actor, { id: rollout, verb, reason: 'because', segment: 'gold' });

  test.each(verbs)('%s is refused of whoever is none, whatever their role', async (verb) => {
    const roles = ['release-manager', 'approver', 'on-call', 'admin'] as const;
    for (const person of ['root', 'ana', 'cleo']) {
      const told = say(actorOf(roles, { person }), verb);
      await expect(told).rejects.toMatchObject({
        code: 'forbidden',
        message: expect.stringContaining(`${person} may not ${verb}: only an owner of "desk" (olga) may`),
      });
    }
    await expect(say(actorOf('release-manager'), verb)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(say(onCallActor(), verb)).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('a deputy that an owner named may, until it is revoked; one that somebody else named may not', async () => {
    const endsAt = new Date(services.clock.now().getTime() + 86_400_000);
    const lend = (actor: Actor, to: string, group?: string) =>
      createDeputy(services, actor, { agent: 'desk', from: 'olga', to, endsAt, reason: 'away', group });
    await lend(actorOf('release-manager', { person: 'root' }), 'cleo');
    await expect(say(approverActor('cleo'), 'reject-gate')).rejects.toMatchObject({ code: 'forbidden' });
    const given = await lend(actorOf(['release-manager', 'approver'], { person: 'olga' }), 'ben');
    expect(await say(approverActor('ben'), 'reject-gate')).toMatchObject({ changed: true });
    const { body } = await writtenLog(services.db.sql)
      .select('body')
      .where('kind', '=', 'rollout.reject-gate')
      .executeTakeFirstOrThrow();
    expect(JSON.parse(body)).toMatchObject({ actor: 'ben', data: { for: 'olga' } });
    await revokeDeputy(services, managerActor(), { agent: 'desk', id: given.id });
    await expect(say(approverActor('ben'), 'reject-gate')).rejects.toMatchObject({ code: 'forbidden' });
    expect(await say(managerActor(), 'reject-gate')).toMatchObject({ changed: true });
  });
});
