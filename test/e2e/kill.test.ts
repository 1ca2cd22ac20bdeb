import { sql } from 'kysely';
import { afterAll, beforeAll, expect } from 'vitest';
import { beginAction } from '../../src/actions/begin.ts';
import { ManualClock, systemClock } from '../../src/clock.ts';
import type { TemporalServer } from '../../src/embedded/temporal-server.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { rolloutStatus } from '../../src/rollouts/status.ts';
import type { Services } from '../../src/services.ts';
import { type FakeSlack, startFakeSlack } from '../fakes/slack/server.ts';
import { visibleText } from '../fakes/slack/visible.ts';
import { ALERTS, CHANNEL, SLACK_AGENT_YAML } from '../integration/slack/support.ts';
import { verifies } from '../requirements.ts';
import { askBody } from '../support/api.ts';
import { testPostgres } from '../support/context.ts';
import {
  AGENT_YAML,
  agentActor,
  type GivenToken,
  givenAdopted,
  givenRelease,
  givenToken,
  RELEASE_YAML,
} from '../support/fixtures.ts';
import { writtenLog } from '../support/log.ts';
import { startLastingTemporal } from '../support/own-temporal.ts';
import { createDatabase } from '../support/postgres.ts';
import { type ServiceProcess, startService, until } from '../support/service-process.ts';
import { servicesAt, type TestServices } from '../support/services.ts';

const PEOPLE = ['U0OLGA', 'U0ANA', 'U0BEN', 'U0CLEO'];
const BURST = 200;
const BURST_KILLED_AFTER = 20;
/** Seventeen days of a second, and what the kill took with it is begun anew after its 10 s as a task, its 30 s as an activity. */
const END_WITHIN_MS = 180_000;

let temporal: TemporalServer & AsyncDisposable;
let slack: FakeSlack;
/** Looks at the same database: another process of the installation. */
let services: TestServices;
let elsewhere: Services;
let service: ServiceProcess;
const as = {} as Record<'agent' | 'burst' | 'ana' | 'olga', GivenToken>;

beforeAll(async () => {
  temporal = await startLastingTemporal();
  slack = await startFakeSlack({
    users: PEOPLE.map((id) => ({ id })),
    channels: [
      { id: CHANNEL, name: 'desk', members: PEOPLE },
      { id: ALERTS, name: 'desk-alerts', members: PEOPLE },
    ],
  });
  const databaseUrl = await createDatabase(testPostgres());
  services = await servicesAt(databaseUrl, { clock: new ManualClock(new Date()) });
  elsewhere = { ...services, clock: systemClock, dayMs: 1_000 };
  await givenAdopted(services, { agentYaml: SLACK_AGENT_YAML });
  await givenAdopted(services, named('burst'));
  for (const agent of ['early', 'middle', 'late']) await givenRolloutAgent(agent);
  as.agent = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
  as.burst = await givenToken(services, 'agent', { agent: 'burst', attributes: { tier: 'gold' } });
  as.ana = await givenToken(services, 'approver', { person: 'ana' });
  as.olga = await givenToken(services, 'release-manager', { person: 'olga' });
  service = await startService({ databaseUrl, temporalAddress: temporal.address, slack, day: '1s' });
});
afterAll(async () => {
  await service?.stop();
  await services?.close();
  await slack?.stop();
  await temporal?.[Symbol.asyncDispose]();
});

const named = (agent: string) => ({
  agentYaml: AGENT_YAML.replace('agent: desk', `agent: ${agent}`),
  releaseYaml: RELEASE_YAML.replace('agent: desk', `agent: ${agent}`),
});

/** `early` stands in a long baseline at the kill, `middle` and `late` wait for a person in their phases. */
async function givenRolloutAgent(name: string): Promise<void> {
  const { agent } = await givenAdopted(services, named(name));
  const gate = (person: boolean) => `gate: { approve: ${person}, verdicts: no-breach }`;
  await givenRelease(
    services,
    agent,
    `agent: ${name}
release: 2
grants: [{ tool: lookup }, { tool: cancel, approval: none }, { tool: refund, approval: desk }]
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  baseline: { days: ${name === 'early' ? 15 : 1}, ${gate(false)} }
  constrained: [{ days: 1, exposure: { gold: 50 }, writes: as-granted, ${gate(name === 'middle')} }]
  scale: [{ days: 1, exposure: { '*': 100 }, ${gate(name === 'late')} }]
`,
  );
}

/** Asks for a cancellation; its card stands when this returns. */
async function givenCard(id: string) {
  const asked = await service.call('POST /v1/actions', { as: as.agent, body: askBody({ args: { id } }) });
  expect(asked.status).toBe(202);
  const card = await slack.nextMessage(CHANNEL, ({ text }) => text.includes(`order ${id}.`), 60_000);
  return { id: asked.json.id as string, digest: asked.json.argsDigest as string, card };
}

async function startRollout(agent: string): Promise<string> {
  const body = { agent, release: '2', reason: 'try it', noneYet: 'no case: it is about something else' };
  const started = await service.call('POST /v1/rollouts', { as: as.olga, body });
  expect(started.status).toBe(201);
  return started.json.id as string;
}

const begin = (id: string, executionId: string) =>
  service.call(`POST /v1/actions/${id}/begin`, { as: as.agent, body: { executionId } });

const stateOf = async (id: string) =>
  (await service.call(`GET /v1/actions/${id}`, { as: as.agent })).json.state;

const waitsForPerson = async (id: string, phase: string) => {
  const status = await rolloutStatus(elsewhere, id);
  return status.phase === phase && status.waitsFor.every((wait) => wait.for === 'person');
};

async function entriesOf(ref: string, kind: string): Promise<Record<string, unknown>[]> {
  const rows = await writtenLog(services.db.sql)
    .select('body')
    .where('ref', '=', ref)
    .where('kind', '=', kind)
    .orderBy('n')
    .execute();
  return rows.map(({ body }) => JSON.parse(body).data);
}

const outboxSize = async () => {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM outbox`.execute(services.db.sql);
  return rows[0]?.n ?? -1;
};

verifies(
  'never:acknowledged-lost',
  'kill -9 with actions pending, approved and executing and a rollout in each phase: nothing is lost, nothing done twice',
  async () => {
    const [middle, late] = [await startRollout('middle'), await startRollout('late')];
    const pending = await givenCard('PENDING');
    const approved = await givenCard('APPROVED');
    const executing = await givenCard('EXECUTING');
    await slack.click(approved.card, 'Approve', 'U0ANA').ack();
    const approvedCard = await slack.nextUpdate(approved.card, undefined, 60_000);
    const body = { verdict: 'approve', digest: executing.digest };
    await service.call(`POST /v1/actions/${executing.id}/decisions`, { as: as.ana, body });
    await until('middle in constrained', () => waitsForPerson(middle, 'constrained'));
    await until('late in scale', () => waitsForPerson(late, 'scale'));
    const early = await startRollout('early');
    const digests = await Promise.all([middle, late].map(baselineDigest));
    const first = await begin(executing.id, 'e-1');
    expect(first.status).toBe(200);
    await service.kill9();
    // Another process of the installation answers the same execution in time, and no other one.
    const again = await beginAction(elsewhere, agentActor(), { id: executing.id, executionId: 'e-1' });
    expect(again.credential?.jti).not.toBe(first.json.credential.jti);
    await expect(
      beginAction(elsewhere, agentActor(), { id: executing.id, executionId: 'e-2' }),
    ).rejects.toMatchObject({ code: 'already_begun' });
    const restartMs = await service.restart();

    expect(await stateOf(pending.id)).toBe('pending');
    expect(await stateOf(approved.id)).toBe('approved');
    expect(await stateOf(executing.id)).toBe('executing');
    expect((await rolloutStatus(elsewhere, early)).phase).toBe('baseline');
    await slack.connected();
    await slack.click(pending.card, 'Approve', 'U0BEN').ack();
    await slack.nextUpdate(pending.card, (card) => visibleText(card).includes('Approved by Ben'), 60_000);
    expect(await stateOf(pending.id)).toBe('approved');

    const racers = await Promise.all(['a', 'b', 'c'].map((execution) => begin(approved.id, execution)));
    expect(racers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const winner = ['a', 'b', 'c'][racers.findIndex(({ status }) => status === 200)] ?? '';
    const repeated = await begin(approved.id, winner);
    expect(repeated.status).toBe(200);
    const live = await services.db.sql
      .selectFrom('credential')
      .select('jti')
      .where('action_id', '=', approved.id)
      .where('revoked_at', 'is', null)
      .execute();
    expect(live).toEqual([{ jti: repeated.json.credential.jti }]);
    const done = { executionId: 'e-1', ok: true, result: { cancelled: true } };
    const completed = await service.call(`POST /v1/actions/${executing.id}/complete`, {
      as: as.agent,
      body: done,
    });
    expect(completed.json).toMatchObject({ state: 'executed' });

    for (const id of [middle, late]) {
      const reason = { reason: 'it looks good' };
      const gate = await service.call(`POST /v1/rollouts/${id}/approve-gate`, { as: as.olga, body: reason });
      expect(gate.json).toMatchObject({ changed: true });
    }
    for (const id of [early, middle, late]) {
      const status = async () => (await rolloutStatus(elsewhere, id)).status;
      await until(`the end of ${id}`, async () => (await status()) === 'completed', END_WITHIN_MS);
      const steps = (await entriesOf(id, 'rollout.step_entered')).map(({ step }) => step);
      expect(steps).toEqual([2, 3]);
      expect(await entriesOf(id, 'rollout.baseline_locked')).toHaveLength(1);
      expect(await entriesOf(id, 'rollout.completed')).toHaveLength(1);
    }
    expect(await Promise.all([middle, late].map(baselineDigest))).toEqual(digests);

    await slack.nextUpdate(approvedCard, (card) => visibleText(card).includes('Begun'), 60_000);
    await slack.nextUpdate(executing.card, (card) => visibleText(card).includes('Executed'), 60_000);
    await until('an empty outbox', async () => (await outboxSize()) === 0);
    for (const { id } of [pending, approved, executing]) {
      const cards = slack
        .messages(CHANNEL)
        .filter(({ blocks, threadTs }) => !threadTs && JSON.stringify(blocks).includes(id));
      expect(cards).toHaveLength(1);
      expect(await entriesOf(id, 'action.begun')).toHaveLength(id === pending.id ? 0 : 1);
    }
    await until('a numbered log', async () => (await verifyLog(services.db.sql)).tail === 0);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    console.log(`kill -9: ready again after ${restartMs} ms`);
  },
  480_000,
);

verifies(
  'never:acknowledged-lost',
  `kill -9 in the middle of ${BURST} asks: retried with their keys they are exactly ${BURST} actions, each answered id unchanged`,
  async () => {
    const bodies = Array.from({ length: BURST }, (_, n) =>
      askBody({ args: { id: `B-${n}` }, subject: `guest-${n}`, idempotencyKey: `burst-${n}` }),
    );
    const answered = new Map<number, string>();
    let killed: Promise<void> | undefined;
    await Promise.all(
      bodies.map(async (body, n) => {
        const answer = await service.call('POST /v1/actions', { as: as.burst, body }).catch(() => undefined);
        if (answer?.status !== 202) return;
        answered.set(n, answer.json.id);
        if (answered.size >= BURST_KILLED_AFTER) killed ??= service.kill9();
      }),
    );
    await killed;
    expect(answered.size).toBeLessThan(BURST);
    const committed = await burstActions();
    await service.restart();

    const ids = new Map<number, string>();
    for (const [n, body] of bodies.entries()) {
      const answer = await service.call('POST /v1/actions', { as: as.burst, body });
      expect(answer.status).toBe(202);
      ids.set(n, answer.json.id);
    }
    for (const [n, id] of answered) expect(ids.get(n)).toBe(id);
    expect(await burstActions()).toBe(BURST);
    expect(new Set(ids.values()).size).toBe(BURST);
    await until('an empty outbox', async () => (await outboxSize()) === 0);
    await until('a numbered log', async () => (await verifyLog(services.db.sql)).tail === 0);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    console.log(
      `burst: ${answered.size} of ${BURST} answered, ${committed} committed at the kill; then ${BURST}`,
    );
  },
  300_000,
);

const baselineDigest = async (id: string) => (await rolloutStatus(elsewhere, id)).baselineDigest;

async function burstActions(): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM action WHERE agent = 'burst'`.execute(services.db.sql);
  return rows[0]?.n ?? 0;
}
