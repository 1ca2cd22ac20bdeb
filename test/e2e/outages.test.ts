import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import type { TemporalServer } from '../../src/embedded/temporal-server.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { actionById } from '../../src/records/action.ts';
import { READ_LEASE_MS } from '../../src/records/record-after.ts';
import { rolloutById } from '../../src/records/rollout.ts';
import { type FakeSlack, startFakeSlack } from '../fakes/slack/server.ts';
import { visibleText } from '../fakes/slack/visible.ts';
import { ALERTS, CHANNEL, SLACK_AGENT_YAML } from '../integration/slack/support.ts';
import { verifies } from '../requirements.ts';
import { askBody } from '../support/api.ts';
import {
  type GivenToken,
  givenAdopted,
  givenRelease,
  givenToken,
  RELEASE_YAML,
} from '../support/fixtures.ts';
import { writtenLog } from '../support/log.ts';
import { startLastingTemporal } from '../support/own-temporal.ts';
import { createDatabase, type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type ServiceProcess, startService, until } from '../support/service-process.ts';
import { servicesAt, type TestServices } from '../support/services.ts';

const PEOPLE = ['U0OLGA', 'U0ANA', 'U0BEN', 'U0CLEO'];
const GONE_MS = 10_000;
const READ_EVERY_MS = 250;
/** From the stop to the moment its connections are broken, and from there to what a busy machine measures. */
const SLACK_MS = 1_000;

/** `lookup` may be recorded afterwards, `peek` may not. */
const RELEASE = (version: number, rollout = '') =>
  `${RELEASE_YAML.replace('release: 1', `release: ${version}`).replace('tool: lookup', 'tool: lookup, record: after')}  - { tool: peek }
${rollout}`;
const ROLLOUT = `rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  baseline: { days: 3, gate: { approve: false } }
  constrained: [{ days: 1, exposure: { gold: 50 }, gate: { approve: false, verdicts: no-breach } }]
  scale: [{ days: 25, exposure: { '*': 100 }, gate: { approve: false, verdicts: no-breach } }]
`;

let postgres: PostgresServer;
let temporal: TemporalServer & AsyncDisposable;
let slack: FakeSlack;
let services: TestServices;
let service: ServiceProcess;
const as = {} as Record<'agent' | 'ana' | 'cleo' | 'olga', GivenToken>;

beforeAll(async () => {
  [postgres, temporal] = await Promise.all([startPostgres({ own: true }), startLastingTemporal()]);
  slack = await startFakeSlack({
    users: PEOPLE.map((id) => ({ id })),
    channels: [
      { id: CHANNEL, name: 'desk', members: PEOPLE },
      { id: ALERTS, name: 'desk-alerts', members: PEOPLE },
    ],
  });
  const databaseUrl = await createDatabase(postgres);
  services = await servicesAt(databaseUrl, { clock: new ManualClock(new Date()) });
  const agentYaml = SLACK_AGENT_YAML.replace('tools:\n', 'tools:\n  peek: { kind: read }\n');
  const { agent } = await givenAdopted(services, { agentYaml, releaseYaml: RELEASE(1) });
  await givenRelease(services, agent, RELEASE(2, ROLLOUT));
  as.agent = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
  as.ana = await givenToken(services, 'approver', { person: 'ana' });
  as.cleo = await givenToken(services, 'on-call', { person: 'cleo' });
  as.olga = await givenToken(services, 'release-manager', { person: 'olga' });
  service = await startService({ databaseUrl, temporalAddress: temporal.address, slack, day: '1s' });
});
afterAll(async () => {
  await service?.stop();
  await services?.close();
  await slack?.stop();
  await temporal?.[Symbol.asyncDispose]();
  await postgres?.stop();
});

const ask = (more: Record<string, unknown> = {}) =>
  service.call('POST /v1/actions', { as: as.agent, body: askBody(more) });
const approve = ({ id, argsDigest }: { id: string; argsDigest: string }) =>
  service.call(`POST /v1/actions/${id}/decisions`, {
    as: as.ana,
    body: { verdict: 'approve', digest: argsDigest },
  });
const begin = (id: string) =>
  service.call(`POST /v1/actions/${id}/begin`, { as: as.agent, body: { executionId: 'e-1' } });
const complete = (id: string) =>
  service.call(`POST /v1/actions/${id}/complete`, { as: as.agent, body: { executionId: 'e-1', ok: true } });
const disable = (scope: string) =>
  service.call(`PUT /v1/switches/${scope}`, { as: as.cleo, body: { disabled: true, reason: 'fire' } });

async function givenCard(id: string) {
  const { json } = await ask({ args: { id } });
  const card = await slack.nextMessage(CHANNEL, ({ text }) => text.includes(`order ${id}.`), 120_000);
  return { action: json as { id: string; argsDigest: string }, card };
}

const outboxSize = async () => {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM outbox`.execute(services.db.sql);
  return rows[0]?.n ?? -1;
};

const failedAttempts = async () => {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM outbox WHERE attempts > 0`.execute(services.db.sql);
  return rows[0]?.n ?? 0;
};

verifies(
  'never:acknowledged-lost',
  'Temporal stopped: asking, deciding, beginning, completing and disabling go on; started again everything catches up',
  async () => {
    const shown = await givenCard('BEFORE');
    const started = await service.call('POST /v1/rollouts', {
      as: as.olga,
      body: { agent: 'desk', release: '2', reason: 'try it', noneYet: 'no case: it is about something else' },
    });
    const rollout = started.json.id as string;
    await until('an empty outbox', async () => (await outboxSize()) === 0);
    await temporal.stop();

    const { json: waiting } = await ask({ args: { id: 'MEANWHILE' } });
    expect(waiting).toMatchObject({ state: 'pending' });
    expect((await approve(shown.action)).json).toMatchObject({ state: 'approved', counted: true });
    expect((await begin(shown.action.id)).status).toBe(200);
    expect((await complete(shown.action.id)).json).toMatchObject({ state: 'executed' });
    expect((await disable('tool/desk/refund')).json).toMatchObject({ state: 'closed' });
    expect((await service.call('GET /readyz')).json).toMatchObject({ status: 'ready', temporal: 'down' });
    await until('an attempt in vain', async () => (await failedAttempts()) > 0);

    await temporal.restart();
    const caughtUpMs = await until('an empty outbox', async () => (await outboxSize()) === 0, 120_000);
    const card = await slack.nextMessage(CHANNEL, ({ text }) => text.includes('order MEANWHILE.'), 120_000);
    await slack.click(card, 'Approve', 'U0BEN').ack();
    await slack.nextUpdate(card, (seen) => visibleText(seen).includes('Approved by Ben'), 20_000);
    await slack.nextUpdate(shown.card, (seen) => visibleText(seen).includes('Executed'), 120_000);
    await slack.nextMessage(ALERTS, (seen) => visibleText(seen).includes('refund'), 120_000);
    const status = async () => (await rolloutById(services.db.sql, rollout)).status;
    await until('the end of the rollout', async () => (await status()) === 'completed', 120_000);
    console.log(`Temporal: the outbox was empty ${caughtUpMs} ms after the start`);
  },
  300_000,
);

verifies(
  'never:acknowledged-lost',
  'Postgres gone for 10 s: writes are refused, leased reads answered and recorded later, and it recovers by itself',
  async () => {
    const { action } = await givenCard('OUTAGE');
    const { json: known } = await ask({ tool: 'lookup', args: {}, idempotencyKey: 'known' });
    expect(known).toMatchObject({ recorded: 'before' });
    const approved = await givenCard('APPROVED');
    await approve(approved.action);
    // The card says what is recorded, so that nothing changes it while the store is away.
    await slack.nextUpdate(approved.card, (seen) => visibleText(seen).includes('Approved'), 20_000);

    await postgres.pause();
    const goneAt = performance.now();
    const elapsed = () => performance.now() - goneAt;
    const reads: { atMs: number; status: number; id?: string; key: string }[] = [];
    const reading = (async () => {
      for (let n = 0; elapsed() < GONE_MS; n++) {
        const key = `read-${n}`;
        const answer = await ask({ tool: 'lookup', args: {}, subject: `new-${n}`, idempotencyKey: key });
        reads.push({ atMs: elapsed(), status: answer.status, id: answer.json.id, key });
        if (answer.status === 200)
          expect(answer.json).toMatchObject({ recorded: 'after', state: 'approved' });
        else expect(answer.json).toMatchObject({ code: 'store_down', retry: true });
        await sleep(READ_EVERY_MS);
      }
    })();
    const repeated = [
      await ask({ tool: 'lookup', args: {}, idempotencyKey: 'twice' }),
      await ask({ tool: 'lookup', args: {}, idempotencyKey: 'twice' }),
    ];
    expect(repeated[1]?.json.id).toBe(repeated[0]?.json.id);
    const refused = [
      await ask({ args: { id: 'NO' } }),
      await ask({ tool: 'peek', args: {} }),
      await approve(action),
      await begin(approved.action.id),
      await disable('agent/desk'),
      await service.call(`GET /v1/actions/${action.id}`, { as: as.agent }),
    ];
    for (const answer of refused)
      expect(answer).toMatchObject({ status: 503, json: { code: 'store_down', retry: true } });
    expect((await service.call('GET /readyz')).status).toBe(503);
    expect((await service.call('GET /healthz')).status).toBe(200);
    await reading;

    await postgres.restart();
    const backAt = performance.now();
    const wroteAfterMs = await until(
      'a write',
      async () => (await ask({ args: { id: 'YES' } })).status === 202,
    );
    const answered = reads.filter(({ status }) => status === 200);
    const lastAnswerMs = Math.max(...answered.map(({ atMs }) => atMs));
    expect(answered.length).toBeGreaterThan(3);
    expect(lastAnswerMs).toBeLessThan(READ_LEASE_MS + SLACK_MS);
    expect(reads.filter(({ atMs }) => atMs > lastAnswerMs).length).toBeGreaterThan(3);

    const ids = [...answered.map(({ id }) => id ?? ''), repeated[0]?.json.id as string];
    await until('the buffered reads', async () => (await recordedAfter()).length === ids.length);
    const recordedAfterMs = Math.round(performance.now() - backAt);
    expect((await recordedAfter()).sort()).toEqual(ids.sort());
    expect(await gaps()).toBe(0);

    expect((await begin(approved.action.id)).status).toBe(200);
    await until('a numbered log', async () => (await verifyLog(services.db.sql)).tail === 0);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
    console.log(
      `Postgres: ${answered.length} reads answered, the last after ${Math.round(lastAnswerMs)} ms, ` +
        `${reads.length - answered.length} refused; back: a write after ${wroteAfterMs} ms, ` +
        `all reads recorded after ${recordedAfterMs} ms`,
    );
  },
  300_000,
);

verifies(
  'never:decision-shown-but-not-made',
  'a click while Postgres is gone is answered "NOT recorded", leaves the card as it is, and counts when it is repeated',
  async () => {
    const { action, card } = await givenCard('CLICKED');
    await until('an empty outbox', async () => (await outboxSize()) === 0);
    await postgres.pause();
    await slack.click(card, 'Approve', 'U0ANA').ack();
    const told = await slack.nextEphemeral('U0ANA', undefined, 10_000);
    expect(told.text).toContain('NOT recorded');
    await postgres.restart();
    await until('the service', async () => (await service.call('GET /readyz')).status === 200);
    expect(await actionById(services.db.sql, action.id)).toMatchObject({ state: 'pending', revision: 1 });
    expect(visibleText(slack.message(CHANNEL, card.ts) ?? card)).toBe(visibleText(card));
    await slack.click(card, 'Approve', 'U0ANA').ack();
    await slack.nextUpdate(card, (seen) => visibleText(seen).includes('Approved by Ana'), 30_000);
  },
  240_000,
);

verifies(
  'never:write-after-stop',
  'with Temporal stopped, disable closes the gate at once',
  async () => {
    const [begun, waiting] = [await givenCard('BEGUN'), await givenCard('WAITING')];
    for (const { action } of [begun, waiting]) await approve(action);
    expect((await begin(begun.action.id)).status).toBe(200);
    await temporal.stop();
    const answer = await disable('tool/desk/cancel');
    expect(answer.json).toMatchObject({ state: 'closed' });
    expect(answer.json.inFlight).toContainEqual(expect.objectContaining({ action: begun.action.id }));
    expect((await begin(waiting.action.id)).status).toBe(409);
    expect((await begin(begun.action.id)).status).toBe(409);
    expect((await ask({ args: { id: 'NO' } })).status).toBe(403);
    await temporal.restart();
    await slack.nextMessage(ALERTS, (seen) => visibleText(seen).includes('cancel'), 120_000);
    const enabled = { disabled: false, reason: 'out' };
    await service.call('PUT /v1/switches/tool/desk/cancel', { as: as.cleo, body: enabled });
  },
  240_000,
);

/** The actions whose asking entry says that it was recorded afterwards. */
async function recordedAfter(): Promise<string[]> {
  const rows = await writtenLog(services.db.sql)
    .select(['ref', 'body'])
    .where('kind', '=', 'action.asked')
    .execute();
  return rows.filter(({ body }) => JSON.parse(body).data.recorded === 'after').map(({ ref }) => ref ?? '');
}

async function gaps(): Promise<number> {
  const rows = await writtenLog(services.db.sql).select('n').where('kind', '=', 'log.gap').execute();
  return rows.length;
}
