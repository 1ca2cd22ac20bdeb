import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { askAction } from '../src/actions/ask.ts';
import { beginAction } from '../src/actions/begin.ts';
import { completeAction } from '../src/actions/complete.ts';
import { answerAction } from '../src/approvals/answer.ts';
import { readConfig } from '../src/config.ts';
import { recordOutcomes } from '../src/outcomes/record.ts';
import { startPortcullis } from '../src/server.ts';
import type { Services } from '../src/services.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  askInput,
  givenAdopted,
  givenRelease,
  givenToken,
  managerActor,
  RELEASE_YAML,
} from '../test/support/fixtures.ts';
import { fillStore } from '../test/support/growth/fill.ts';
import { TEST_KEY } from '../test/support/services.ts';
import { startRollout } from '../test/support/start.ts';
import { ms, spreadOf } from './measure.ts';

const STORED = 5_000_000;
/** Of a hundred: reads, and the rest writes. */
const READS = 0.8;
const PENDING = 2_000;
const BREACHES = 20;
const HARMS = 40;
const BATCH = 100;
const BATCHES = 60;
const CALLERS = 8;
const DAY_MS = 20_000;
const LOOK_EVERY_MS = 10;
const GIVE_UP_MS = 60_000;

const gate = 'gate: { approve: false, verdicts: no-breach }';
const RELEASE = `${RELEASE_YAML.replace('release: 1', 'release: 2').replace('approval: desk', 'approval: none')}rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.1, reason: more than today }]
  baseline: { days: 1, ${gate} }
  constrained: [{ days: 90, exposure: { '*': 100 }, writes: as-granted, ${gate} }]
  scale: [{ days: 90, exposure: { '*': 100 }, ${gate} }]
`;

type Act = { services: Services; agent: string };

/**
 * `npm run bench -- evidence`: how many outcomes a second become evidence that lasts, and how long after the report that is the
 * breach the candidate is taken back, with so many actions stored; the whole service, a day of twenty seconds.
 */
export async function benchEvidence(
  environment: Record<string, string>,
  say: (line?: string) => void,
  stored = STORED,
): Promise<void> {
  const more = { PORTCULLIS_DAY: `${DAY_MS / 1_000}s`, PORTCULLIS_KEY: TEST_KEY };
  const service = await startPortcullis(readConfig({ ...environment, ...more }));
  const { services, url } = service;
  const agents = Array.from({ length: BREACHES + 1 }, (_, n) => `desk-${n}`);
  const rollouts = new Map<string, string>();
  for (const agent of agents) rollouts.set(agent, await givenRollout({ services, agent }));
  await until(async () => (await exposed(services)) === agents.length, 'every candidate is exposed');
  await givenStored(services, stored, say);
  const [first = '', ...others] = agents;
  await sayIngest({ services, agent: first }, url, say);
  const took: number[] = [];
  for (const agent of others) took.push(await breach({ services, agent }, rollouts.get(agent) ?? ''));
  const { p50, p99 } = spreadOf(took);
  say(
    `(e) breach to revoked, ${BREACHES} times, ${stored.toLocaleString('en')} actions stored   p50 ${ms(p50)}   p99 ${ms(p99)}   from the report that is the breach`,
  );
  await service.stop();
}

async function givenRollout({ services, agent }: Act): Promise<string> {
  const own = (yaml: string) => yaml.replace('agent: desk', `agent: ${agent}`);
  await givenAdopted(services, { agentYaml: own(AGENT_YAML), releaseYaml: own(RELEASE_YAML) });
  await givenRelease(services, agentFrom(own(AGENT_YAML)), own(RELEASE));
  return (await startRollout(services, managerActor(), { agent, release: '2', reason: 'bench' })).id;
}

const exposed = async ({ db }: Services): Promise<number> => {
  const rows = await db.sql
    .selectFrom('rollout_segment')
    .select('rollout_id')
    .distinct()
    .where('state', '=', 'exposed')
    .execute();
  return rows.length;
};

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + GIVE_UP_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${GIVE_UP_MS} ms`);
    await sleep(LOOK_EVERY_MS);
  }
}

async function givenStored(services: Services, stored: number, say: (line?: string) => void): Promise<void> {
  const act = { services, agent: 'desk-0' };
  const read = await askAction(services, agentActor({ agent: act.agent }), asking(act, { tool: 'lookup' }));
  const refund = { tool: 'refund', args: { amount: 1 } };
  const executed = await askAction(services, agentActor({ agent: act.agent }), asking(act, refund));
  for (const person of ['ana', 'ben'])
    await answerAction(services, approverActor(person), { id: executed.action.id, verdict: 'approve' });
  await done(act, executed.action.id);
  const waits = await askAction(services, agentActor({ agent: act.agent }), asking(act, refund));
  const startedAt = performance.now();
  const fill = { reads: stored * READS, writes: stored * (1 - READS), pending: PENDING };
  const templates = { read: read.action.id, executed: executed.action.id, pending: waits.action.id };
  await fillStore(services.db, templates, fill, services.clock.now());
  say(`${stored.toLocaleString('en')} actions stored in ${ms(performance.now() - startedAt)}`);
}

const asking = ({ agent }: Act, more: object) => askInput({ agent, ...more });

async function done({ services, agent }: Act, id: string): Promise<void> {
  await beginAction(services, agentActor({ agent }), { id, executionId: 'e-1' });
  await completeAction(services, agentActor({ agent }), { id, executionId: 'e-1', ok: true });
}

/** A cancellation that ran unasked. */
async function cancelled({ services, agent }: Act): Promise<string> {
  const actor = agentActor({ agent });
  const { action, credential } = await askAction(services, actor, asking({ services, agent }, { begin: {} }));
  if (!credential) await beginAction(services, actor, { id: action.id, executionId: action.id });
  await completeAction(services, actor, { id: action.id, executionId: action.id, ok: true });
  return action.id;
}

/** Outcomes of writes that nobody reported of yet, in batches, through the API, until all are counted. */
async function sayIngest(act: Act, url: string, say: (line?: string) => void): Promise<void> {
  const ids: string[] = [];
  for (let n = 0; n < BATCHES; n++)
    ids.push(...(await Promise.all(Array.from({ length: BATCH }, () => cancelled(act)))));
  await until(async () => (await due(act.services)) === 0, 'what was done is counted');
  const { headers } = await givenToken(act.services, 'agent', { agent: act.agent });
  const batches = Array.from({ length: BATCHES }, (_, n) =>
    ids
      .slice(n * BATCH, (n + 1) * BATCH)
      .map((action) => ({ id: randomUUID(), action, metric: 'wrong', value: 0 })),
  );
  const startedAt = performance.now();
  const call = async () => {
    for (let outcomes = batches.pop(); outcomes; outcomes = batches.pop()) {
      const body = JSON.stringify({ outcomes });
      const answer = await fetch(`${url}/v1/outcomes`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
      if (!answer.ok) throw new Error(`outcomes: ${answer.status} ${await answer.text()}`);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
  const recorded = performance.now() - startedAt;
  await until(async () => (await due(act.services)) === 0, 'what was reported is counted');
  const counted = performance.now() - startedAt;
  const rate = (took: number) => Math.round((BATCHES * BATCH * 1_000) / took).toLocaleString('en');
  say(
    `(e) outcomes in batches of ${BATCH}, ${CALLERS} callers   recorded ${rate(recorded)}/s   counted ${rate(counted)}/s   aim: at least 3,000/s recorded`,
  );
}

const due = async ({ db }: Services): Promise<number> =>
  (await db.sql.selectFrom('evidence_due').select('id').limit(1).execute()).length;

/** Everything that it did was wrong, said at once. Returns the milliseconds from that report to what it begins no more. */
async function breach(act: Act, rollout: string): Promise<number> {
  const { services, agent } = act;
  const ids = await Promise.all(Array.from({ length: HARMS }, () => cancelled(act)));
  await until(async () => (await due(services)) === 0, 'what was done is counted');
  const outcomes = ids.map((action) => ({ id: randomUUID(), action, metric: 'wrong', value: 1 }));
  const startedAt = performance.now();
  await recordOutcomes(services, agentActor({ agent }), { agent, outcomes });
  const back = services.db.sql
    .selectFrom('rollout_segment')
    .select('state')
    .where('rollout_id', '=', rollout)
    .where('state', '=', 'rolled_back');
  await until(async () => (await back.execute()).length > 0, `${agent} is rolled back`);
  return performance.now() - startedAt;
}
