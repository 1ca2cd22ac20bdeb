import { sql } from 'kysely';
import { afterAll, beforeAll, expect } from 'vitest';
import type { ServiceRole } from '../../src/config/roles.ts';
import { holders } from '../../src/db/exclusive.ts';
import type { TemporalServer } from '../../src/embedded/temporal-server.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { type FakeSlack, startFakeSlack } from '../fakes/slack/server.ts';
import { CHANNEL, SLACK_AGENT_YAML } from '../integration/slack/support.ts';
import { verifies } from '../requirements.ts';
import { askBody } from '../support/api.ts';
import { testPostgres } from '../support/context.ts';
import { AGENT_YAML, type GivenToken, givenAdopted, givenToken, RELEASE_YAML } from '../support/fixtures.ts';
import { startLastingTemporal } from '../support/own-temporal.ts';
import { createDatabase } from '../support/postgres.ts';
import { type ServiceProcess, startService, until } from '../support/service-process.ts';
import { servicesAt, type TestServices } from '../support/services.ts';

const PEOPLE = ['U0OLGA', 'U0ANA', 'U0BEN', 'U0CLEO'];
const PUBLIC_URL = 'http://127.0.0.1:8080';
const BURST = 40;
/** What a worker had in hand when it was killed, Temporal gives to another after ten seconds and more. */
const CARD_WITHIN_MS = 90_000;
const BURST_KILLED_AFTER = 8;

let temporal: TemporalServer & AsyncDisposable;
let slack: FakeSlack;
let services: TestServices;
let apis: [ServiceProcess, ServiceProcess];
let workers: [ServiceProcess, ServiceProcess];
let answering: ServiceProcess;
const as = {} as Record<'agent' | 'burst' | 'cleo', GivenToken>;
const startedMs = performance.now();

beforeAll(async () => {
  temporal = await startLastingTemporal();
  slack = await startFakeSlack({
    users: PEOPLE.map((id) => ({ id })),
    channels: [{ id: CHANNEL, name: 'desk', members: PEOPLE }],
  });
  const databaseUrl = await createDatabase(testPostgres());
  services = await servicesAt(databaseUrl);
  await givenAdopted(services, { agentYaml: SLACK_AGENT_YAML });
  await givenAdopted(services, {
    agentYaml: AGENT_YAML.replace('agent: desk', 'agent: burst'),
    releaseYaml: RELEASE_YAML.replace('agent: desk', 'agent: burst'),
  });
  as.agent = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
  as.burst = await givenToken(services, 'agent', { agent: 'burst', attributes: { tier: 'gold' } });
  as.cleo = await givenToken(services, 'on-call', { person: 'cleo' });
  const start = (...roles: ServiceRole[]) =>
    startService({ databaseUrl, temporalAddress: temporal.address, slack, roles, publicUrl: PUBLIC_URL });
  const started = await Promise.all([
    start('api'),
    start('api'),
    start('worker', 'background'),
    start('worker', 'background'),
    start('slack'),
  ]);
  apis = [started[0], started[1]];
  workers = [started[2], started[3]];
  answering = started[4];
  await slack.connected();
});
afterAll(async () => {
  await Promise.all([...(apis ?? []), ...(workers ?? []), answering].map((one) => one?.stop()));
  await services?.close();
  await slack?.stop();
  await temporal?.[Symbol.asyncDispose]();
});

const refOf = (metadata: unknown) => (metadata as { event_payload?: { ref?: string } })?.event_payload?.ref;

const written: string[] = [];

/** Asked through one API, answered in Slack, seen and begun through the other, which reports it done. */
async function write(name: string, asked: ServiceProcess, begun: ServiceProcess): Promise<void> {
  const { status, json } = await asked.call('POST /v1/actions', {
    as: as.agent,
    body: askBody({ args: { id: name }, idempotencyKey: name }),
  });
  expect(status).toBe(202);
  const { id } = json;
  written.push(id);
  const card = await slack.nextMessage(
    CHANNEL,
    ({ text }) => text.includes(`order ${name}.`),
    CARD_WITHIN_MS,
  );
  await slack.click(card, 'Approve', 'U0ANA').ack();
  const decided = await begun.call(`GET /v1/actions/${id}?wait=10s`, { as: as.agent });
  expect(decided.json.state).toBe('approved');
  const began = await begun.call(`POST /v1/actions/${id}/begin`, {
    as: as.agent,
    body: { executionId: name },
  });
  expect(began.status).toBe(200);
  const done = { executionId: name, ok: true, result: { cancelled: true } };
  const completed = await begun.call(`POST /v1/actions/${id}/complete`, { as: as.agent, body: done });
  expect(completed.json.state).toBe('executed');
}

/** By the roles that a process has, the one that does the background work now and the other. */
async function background(): Promise<{ holder: ServiceProcess; other: ServiceProcess }> {
  const { dispatcher = '' } = await holders(services.db.sql);
  const at = workers.findIndex((worker) => dispatcher.endsWith(`:${worker.pid()}`));
  const [holder, other] = [workers[at], workers[1 - at]];
  if (!holder || !other) throw new Error(`neither worker is ${dispatcher}`);
  return { holder, other };
}

const countOf = async (query: ReturnType<typeof sql<{ n: number }>>): Promise<number> =>
  (await query.execute(services.db.sql)).rows[0]?.n ?? -1;
const burstActions = () => countOf(sql`SELECT count(*)::int AS n FROM action WHERE agent = 'burst'`);
const outboxSize = () => countOf(sql`SELECT count(*)::int AS n FROM outbox`);
const entriesOf = (ref: string, kind: string) =>
  countOf(sql`SELECT count(*)::int AS n FROM log_entry WHERE ref = ${ref} AND kind = ${kind}`);

verifies(
  'never:acknowledged-lost',
  'only an API answers requests; every process says how it does',
  async () => {
    for (const api of apis) expect((await api.call('GET /v1/actions', { as: as.agent })).status).toBe(200);
    for (const other of [...workers, answering]) {
      // It says that it is ready by its log: its health may listen a moment later.
      await until('its health', async () => (await other.call('GET /livez')).status === 200);
      expect((await other.call('GET /v1/actions', { as: as.agent })).status).toBe(404);
      expect((await other.call('PUT /v1/switches/everything', { as: as.cleo, body: {} })).status).toBe(404);
      expect((await other.call('GET /livez')).status).toBe(200);
      expect((await other.call('GET /metrics')).text).toContain('portcullis_process_cpu');
    }
    for (const each of [...apis, ...workers, answering]) {
      // One that the store let wait too long for a connection starts once more by itself.
      await until('it is ready', async () => {
        const { status, json } = await each.call('GET /readyz');
        return status === 200 && json.status === 'ready' && json.database === 'up';
      });
    }
    await until('a holder of each work', async () => {
      const { json } = await apis[0].call('GET /readyz');
      return json.background.every(({ by }: { by?: string }) => by !== undefined);
    });
  },
);

verifies(
  'never:acknowledged-lost',
  'kill -9 of an API in the middle of asks, of a worker and of the holder of the background work: nothing is lost, nothing done twice',
  async () => {
    const [one, two] = apis;
    await Promise.all([write('W1', one, two), write('W2', two, one)]);

    const answered = new Map<number, string>();
    let killed: Promise<void> | undefined;
    const ask = async (n: number, api: ServiceProcess) => {
      const body = askBody({ args: { id: `B-${n}` }, subject: `guest-${n}`, idempotencyKey: `burst-${n}` });
      const { status, json } = await api.call('POST /v1/actions', { as: as.burst, body });
      expect(status).toBe(202);
      return json.id as string;
    };
    await Promise.all(
      Array.from({ length: BURST }, async (_, n) => {
        const id = await ask(n, n % 2 ? one : two).catch(() => undefined);
        if (id === undefined) return;
        answered.set(n, id);
        if (answered.size >= BURST_KILLED_AFTER) killed ??= one.kill9();
      }),
    );
    await killed;
    // The other one answers what the first one did, and what nobody heard the answer of.
    for (let n = 0; n < BURST; n++) {
      const id = await ask(n, two);
      expect(answered.get(n) ?? id).toBe(id);
    }
    expect(await burstActions()).toBe(BURST);
    await write('W3', two, two);
    const back = one.restart();

    const { holder, other } = await background();
    await other.kill9();
    await write('W4', two, two);
    await other.restart();
    await back;
    await holder.kill9();
    const killedMs = performance.now();
    await write('W5', one, two);
    const tookOverMs = Math.round(performance.now() - killedMs);
    expect((await background()).holder).toBe(other);

    await until('an empty outbox', async () => (await outboxSize()) === 0);
    for (const id of written) {
      // A card links to the last one like it: only its own says so beside its text.
      const cards = slack.messages(CHANNEL).filter(({ metadata }) => refOf(metadata) === id);
      expect(cards).toHaveLength(1);
      expect(await entriesOf(id, 'action.approved')).toBe(1);
      expect(await entriesOf(id, 'action.begun')).toBe(1);
      expect(await entriesOf(id, 'action.executed')).toBe(1);
    }
    await until('a numbered log', async () => (await verifyLog(services.db.sql)).tail === 0);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    console.log(`a write from ask to report ${tookOverMs} ms after its dispatcher was killed`);
  },
  5 * CARD_WITHIN_MS,
);

verifies('never:write-after-stop', 'a disable through one API closes both', async () => {
  const [one, two] = apis;
  const asked = await Promise.all(
    ['D1', 'D2'].map(async (name) => {
      const body = askBody({ args: { id: name }, idempotencyKey: name });
      const { json } = await one.call('POST /v1/actions', { as: as.agent, body });
      const card = await slack.nextMessage(
        CHANNEL,
        ({ text }) => text.includes(`order ${name}.`),
        CARD_WITHIN_MS,
      );
      await slack.click(card, 'Approve', 'U0BEN').ack();
      return json.id as string;
    }),
  );
  const off = { disabled: true, reason: 'storm' };
  const disabled = await two.call('PUT /v1/switches/everything', { as: as.cleo, body: off });
  expect(disabled.json).toMatchObject({ state: 'closed' });
  for (const [n, api] of apis.entries()) {
    const begin = { as: as.agent, body: { executionId: 'late' } };
    const late = await api.call(`POST /v1/actions/${asked[n]}/begin`, begin);
    expect(late.status).toBe(409);
    const body = askBody({ args: { id: 'AFTER' }, idempotencyKey: `after-${n}` });
    const after = await api.call('POST /v1/actions?begin=true', { as: as.agent, body });
    expect(after.status).toBe(403);
  }
  for (const id of asked) expect(await entriesOf(id, 'action.begun')).toBe(0);
  console.log(
    `five processes: ${Math.round((performance.now() - startedMs) / 1_000)} s from the first start`,
  );
});
