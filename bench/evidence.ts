import { setTimeout as sleep } from 'node:timers/promises';
import { v7 } from 'uuid';
import { askAction } from '../src/actions/ask.ts';
import { completeAction } from '../src/actions/complete.ts';
import { readConfig } from '../src/config.ts';
import { makePartitions } from '../src/db/partitions.ts';
import { rolloutFacts } from '../src/rollouts/facts.ts';
import { enterStep, lockBaseline } from '../src/rollouts/moves.ts';
import { startRollout } from '../src/rollouts/start.ts';
import { runRolloutVerb } from '../src/rollouts/verbs.ts';
import { type Portcullis, startPortcullis } from '../src/server.ts';
import {
  agentActor,
  askInput,
  givenAdopted,
  givenBegunAction,
  givenPendingAction,
  givenRelease,
  givenToken,
  managerActor,
  RELEASE_YAML,
} from '../test/support/fixtures.ts';
import { fillStore } from '../test/support/growth/fill.ts';
import { servicesAt } from '../test/support/services.ts';
import { ms, spreadOf } from './measure.ts';

const STORED = 5_000_000;
const READS = 0.8;
const BREACHES = 30;
/** Enough of them in a row are a breach of one in five. */
const HARMS_MAX = 40;
const CALLERS = 16;
const BATCH = 100;
const INGEST_MS = 15_000;
const SUBJECTS = 500;

type Say = (line?: string) => void;

const RELEASE = `${RELEASE_YAML.replace('release: 1', 'release: 2').replace('tool: cancel, approval: desk', 'tool: cancel, approval: none')}rollout:
  signedOffBy: olga
  newSubjectsPerHour: 1000000
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  baseline: { days: 90 }
  constrained: [{ days: 30, exposure: { '*': 100 }, writes: as-granted }]
  scale: [{ days: 30, exposure: { '*': 100 } }]
`;

/** `npm run bench -- evidence`: outcomes into evidence, and from breach to revoked, on the real service over a big store. */
export async function benchEvidence(
  environment: Record<string, string>,
  say: Say,
  stored = STORED,
): Promise<void> {
  const id = await givenStore(environment.DATABASE_URL ?? '', stored);
  const service = await startPortcullis(readConfig(environment));
  const { token } = await givenToken(service.services, 'agent', {
    agent: 'desk',
    attributes: { tier: 'gold' },
  });
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const post = async <T>(path: string, body: object): Promise<T> => {
    const sent = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${service.url}${path}`, sent);
    const answer = await response.json();
    if (!response.ok) throw new Error(`${path} ${response.status} ${JSON.stringify(answer)}`);
    return answer as T;
  };
  say(
    `${stored.toLocaleString('en')} actions stored, durable; the service, Temporal and Postgres on this machine\n`,
  );
  await sayIngest(service, post, say);
  await sayBreaches(service, id, post, say);
  await service.stop();
}

/** Filled, with a rollout whose candidate everybody of the agent meets. */
async function givenStore(url: string, stored: number): Promise<string> {
  const services = await servicesAt(url);
  services.clock.now = () => new Date();
  await makePartitions(services.db, services.clock.now());
  const { agent } = await givenAdopted(services);
  const { action: read } = await askAction(services, agentActor(), askInput({ tool: 'lookup' }));
  const executed = await givenBegunAction(services);
  await completeAction(services, agentActor(), { id: executed.id, executionId: 'e-1', ok: true });
  const pending = await givenPendingAction(services);
  const templates = { read: read.id, executed: executed.id, pending: pending.id };
  const fill = {
    reads: Math.round(stored * READS),
    writes: Math.round(stored * (1 - READS)),
    pending: 2_000,
  };
  await fillStore(services.db, templates, fill, services.clock.now());
  await givenRelease(services, agent, RELEASE);
  const input = { agent: 'desk', release: '2', reason: 'bench' };
  const { id } = await startRollout(services, managerActor(), input);
  const planned = async () => ({ id, ...(await rolloutFacts(services, id)) });
  await lockBaseline(services, await planned());
  await enterStep(services, await planned(), 1);
  await services.close();
  return id;
}

type Post = <T>(path: string, body: object) => Promise<T>;

/** A write of the candidate, begun and done. */
async function written(post: Post, subject: string): Promise<string> {
  const question = { agentVersion: '1', tool: 'cancel', args: { id: subject }, subject };
  const { id } = await post<{ id: string }>('/v1/actions?begin=true', {
    ...question,
    idempotencyKey: v7(),
    executionId: subject,
  });
  await post(`/v1/actions/${id}/complete`, { executionId: subject, ok: true });
  return id;
}

const outcomeOf = (action: string, value: number) => ({ id: v7(), action, metric: 'wrong', value });

async function sayIngest({ services }: Portcullis, post: Post, say: Say): Promise<void> {
  const actions: string[] = [];
  for (let n = 0; n < SUBJECTS; n++) actions.push(await written(post, `ingest-${n}`));
  const until = performance.now() + INGEST_MS;
  let sent = 0;
  const caller = async () => {
    while (performance.now() < until) {
      const outcomes = Array.from({ length: BATCH }, () =>
        outcomeOf(actions[Math.floor(Math.random() * SUBJECTS)] ?? '', 0),
      );
      await post('/v1/outcomes', { outcomes });
      sent += BATCH;
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: CALLERS }, caller));
  const seconds = (performance.now() - startedAt) / 1_000;
  const countedFrom = performance.now();
  while ((await services.db.sql.selectFrom('evidence_due').select('action_id').limit(1).execute()).length > 0)
    await sleep(10);
  say(
    `outcomes in batches of ${BATCH}, ${CALLERS} callers: ${Math.round(sent / seconds).toLocaleString('en')}/s answered and durable, all counted ${ms(performance.now() - countedFrom)} after the last   aim: at least 3,000/s`,
  );
}

async function sayBreaches(service: Portcullis, id: string, post: Post, say: Say): Promise<void> {
  const { services } = service;
  const gold = () =>
    services.db.sql
      .selectFrom('rollout_segment')
      .select(['state', 'generation'])
      .where('rollout_id', '=', id)
      .where('segment', '=', 'gold')
      .executeTakeFirstOrThrow();
  for (let breach = 0; breach < BREACHES; breach++) {
    const actions: string[] = [];
    for (let n = 0; n < HARMS_MAX; n++) actions.push(await written(post, `breach-${breach}-${n}`));
    for (const action of actions) {
      await post('/v1/outcomes', { outcomes: [outcomeOf(action, 1)] });
      await sleep(20);
      if ((await gold()).state === 'rolled_back') break;
    }
    while ((await gold()).state !== 'rolled_back') await sleep(20);
    await runRolloutVerb(services, managerActor(), { id, verb: 'reenter', segment: 'gold', reason: 'bench' });
  }
  const alerts = await services.db.sql
    .selectFrom('alert')
    .select('facts')
    .where('kind', '=', 'rollout.rolled_back')
    .execute();
  const took = alerts.map(({ facts }) => Number((facts as { breachToRevokedMs?: number }).breachToRevokedMs));
  const { p50, p99, n } = spreadOf(took);
  say(`from breach to revoked: p50 ${ms(p50)}   p99 ${ms(p99)}   of ${n}`);
}
