import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../../activities/index.ts';
import { startLoop } from '../../../src/loop.ts';
import { raiseAlert } from '../../../src/records/alert.ts';
import { noteBuild } from '../../../src/records/worker-builds.ts';
import type { Services } from '../../../src/services.ts';
import { workflowBundle } from '../../../src/temporal/bundle.ts';
import { dispatchOutbox } from '../../../src/temporal/dispatch.ts';
import { type RunningWorker, startWorker } from '../../../src/temporal/worker.ts';
import type { AgentCallbackInput } from '../../../workflows/agent-callback.contract.ts';
import { AGENT_YAML, agentActor, givenAdopted, givenAsked, RELEASE_YAML } from '../../support/fixtures.ts';
import { startLastingTemporal } from '../../support/own-temporal.ts';
import { openReceiver, type Receiver } from '../../support/receiver.ts';
import { until } from '../../support/service-process.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { quietTemporalLogs } from '../../support/test-server.ts';

const FLOOD = 100;
/** A quarter of them may wait for one receiver; each waits for five seconds. */
const SLOTS = { approvals: 4, rollouts: 2, alerts: 4, callbacks: 8 };
const OF_ONE = 2;
/** Sooner than one request to the server that hangs is given up; with nothing but slots it would be 100 / 8 x 5 s. */
const AT_ONCE_MS = 5_000;

/** Which callbacks were tried. */
const tried = new Set<string>();

let temporal: Awaited<ReturnType<typeof startLastingTemporal>>;
let client: Client;
let services: TestServices;
let hanging: Receiver;
let answering: Receiver;
let worker: RunningWorker;
let dispatcher: ReturnType<typeof startLoop>;
/** An action of the agent whose server answers. */
let quick: string;

beforeAll(async () => {
  quietTemporalLogs();
  temporal = await startLastingTemporal();
  client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
  services = await createTestServices();
  [hanging, answering] = await Promise.all([openReceiver(), openReceiver()]);
  hanging.answers.push(...Array<'hang'>(10 * FLOOD).fill('hang'));
  const live: Services = { ...services, clock: { now: () => new Date() } };
  const activities = createActivities({
    services: live,
    webhookSecret: 'a secret of the test',
    slots: SLOTS,
  });
  const bundle = await workflowBundle();
  worker = startWorker({
    access: { address: temporal.address },
    namespace: 'default',
    bundle,
    activities: {
      ...activities,
      deliverCallback(input: AgentCallbackInput) {
        tried.add(`${input.actionId}/${input.revision}`);
        return activities.deliverCallback(input);
      },
    },
    slots: SLOTS,
    client,
    log: services.log,
    noteBuild: () => noteBuild(services.db.sql, bundle.buildId),
    serves: async () => {},
  });
  dispatcher = startLoop('dispatcher', 50, () => dispatchOutbox(services, client), services.log);
  quick = await givenAgentAt('lounge', answering.url);
  await until('the worker', async () => worker.state().state === 'serving');
});
afterAll(async () => {
  await dispatcher?.stop();
  await Promise.all([hanging?.[Symbol.asyncDispose](), answering?.[Symbol.asyncDispose]()]);
  await worker?.stop();
  await client?.connection.close();
  await services?.close();
  await temporal?.[Symbol.asyncDispose]();
});

/** The agent, its address for callbacks, and an action of it. */
async function givenAgentAt(name: string, url: string): Promise<string> {
  const as = (yaml: string) => yaml.replace('agent: desk', `agent: ${name}`);
  const agentYaml = `${as(AGENT_YAML)}callback: { url: "${url}" }\nwebhook: { url: "${url}" }\n`;
  await givenAdopted(services, { agentYaml, releaseYaml: as(RELEASE_YAML) });
  const { action } = await givenAsked(services, { agent: name }, agentActor({ agent: name }));
  return action.id;
}

let told = 0;

async function callBack(actionId: string, count: number): Promise<void> {
  const payload = JSON.stringify({ state: 'expired', at: new Date().toISOString() });
  const rows = Array.from({ length: count }, () => ({
    topic: 'callback' as const,
    key: `${actionId}/${100 + told++}`,
    payload,
  }));
  await services.db.sql.insertInto('outbox').values(rows).execute();
}

/** How long one of the agent whose server answers takes, from the commit that asks for it. */
async function deliveredMs(type: 'action.' | 'rollout.', ask: () => Promise<unknown>): Promise<number> {
  const before = answering.received.length;
  await ask();
  return until(type, async () =>
    answering.received.slice(before).some(({ body }) => JSON.parse(body).type.startsWith(type)),
  );
}
const callbackMs = (actionId: string) => deliveredMs('action.', () => callBack(actionId, 1));
const alertMs = () =>
  deliveredMs('rollout.', () =>
    raiseAlert(services.db.sql, 'rollout.gate', 'lounge', new Date(), { rollout: 'none', step: 1 }),
  );

test('a hundred callbacks to a server that hangs hold up neither another agent’s callback nor an alert', async () => {
  const slow = await givenAgentAt('desk', hanging.url);
  await services.db.sql.deleteFrom('outbox').execute();
  await callBack(slow, FLOOD);
  await until('the flood', async () => tried.size === FLOOD, 200_000);
  const whileItHangs = await Promise.all([callbackMs(quick), alertMs()]);
  await until('the breaker', async () => hanging.received.length > 2 * OF_ONE);
  const whileItIsHeld = await Promise.all([callbackMs(quick), alertMs()]);
  for (const ms of [...whileItHangs, ...whileItIsHeld]) expect(ms).toBeLessThan(AT_ONCE_MS);
  expect(hanging.mostAtOnce()).toBe(OF_ONE);
}, 300_000);

test('with every slot of callbacks taken by servers that hang an alert goes out at once', async () => {
  const agents = Array.from({ length: 6 * (SLOTS.callbacks / OF_ONE) }, (_, n) => `hangs-${n}`);
  const actions: string[] = [];
  for (const name of agents) actions.push(await givenAgentAt(name, hanging.url));
  await services.db.sql.deleteFrom('outbox').execute();
  for (const action of actions) await callBack(action, OF_ONE);
  await until('the slots', async () => hanging.mostAtOnce() >= SLOTS.callbacks);
  expect(await alertMs()).toBeLessThan(AT_ONCE_MS);
}, 240_000);
