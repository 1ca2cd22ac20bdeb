import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { readConfig } from '../src/config.ts';
import { startPortcullis } from '../src/server.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenAdopted,
  givenRelease,
  managerActor,
  RELEASE_YAML,
} from '../test/support/fixtures.ts';
import { startRollout } from '../test/support/start.ts';
import { rolloutWorkflowId } from '../workflows/rollout.contract.ts';
import { ms, spreadOf } from './measure.ts';

const ROLLOUTS = 200;
const DAY_MS = 2_000;
const DAYS = 90;
const LOOK_EVERY_MS = 500;
/** Temporal ends a workflow beyond these (docs.temporal.io/workflow-execution/limits). */
const EVENTS_MAX = 51_200;
const BYTES_MAX = 50 * 1_024 * 1_024;

const gate = 'gate: { approve: false, verdicts: no-breach }';
const RELEASE = `${RELEASE_YAML.replace('release: 1', 'release: 2')}rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  baseline: { days: 30, ${gate} }
  constrained: [{ days: 15, exposure: { gold: 10 }, ${gate} }, { days: 15, exposure: { gold: 25 }, ${gate} }]
  scale: [{ days: 15, exposure: { '*': 50 }, ${gate} }, { days: 15, exposure: { '*': 100 }, ${gate} }]
`;

/** `npm run bench -- rollouts`: so many rollouts at once on one worker, ninety days of two seconds each. */
export async function benchManyRollouts(
  environment: Record<string, string>,
  say: (line?: string) => void,
  count = ROLLOUTS,
): Promise<void> {
  const service = await startPortcullis(readConfig({ ...environment, PORTCULLIS_DAY: `${DAY_MS / 1_000}s` }));
  const { services } = service;
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    const own = (yaml: string) => yaml.replace('agent: desk', `agent: desk-${n}`);
    await givenAdopted(services, { agentYaml: own(AGENT_YAML), releaseYaml: own(RELEASE_YAML) });
    await givenRelease(services, agentFrom(own(AGENT_YAML)), own(RELEASE));
  }
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  for (let n = 0; n < count; n++) {
    const input = { agent: `desk-${n}`, release: '2', reason: 'bench' };
    ids.push((await startRollout(services, managerActor(), input)).id);
  }
  const open = async () =>
    (await services.db.sql.selectFrom('rollout').select('id').where('ended_at', 'is', null).execute()).length;
  while ((await open()) > 0) await sleep(LOOK_EVERY_MS);
  const took = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(cpu);
  const rows = await services.db.sql.selectFrom('rollout').select(['started_at', 'ended_at']).execute();
  const late = rows.map(({ started_at, ended_at }) => Number(ended_at) - Number(started_at) - DAYS * DAY_MS);
  const { p50, p99 } = spreadOf(late);
  say(
    `${count} rollouts of ${DAYS} days of ${DAY_MS / 1_000} s at once, one worker: all completed in ${ms(took)}`,
  );
  say(`  ${((count * DAYS * 1_000) / took).toFixed(0)} days of rollouts a second`);
  say(`  each later than its days by p50 ${ms(p50)}, p99 ${ms(p99)}, of ${DAYS * DAY_MS} ms and five steps`);
  say(`  processor of the service: ${((user + system) / took / 10).toFixed(0)} % of one core`);
  const connection = await Connection.connect({ address: service.temporalAddress });
  const client = new Client({ connection });
  const sizes = await Promise.all(
    ids.map(async (id) => {
      const { raw, historyLength } = await client.workflow.getHandle(rolloutWorkflowId(id)).describe();
      return { events: historyLength, bytes: Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0) };
    }),
  );
  const [events, bytes] = [
    Math.max(...sizes.map((one) => one.events)),
    Math.max(...sizes.map((one) => one.bytes)),
  ];
  say(
    `  history at day ${DAYS}, the longest: ${events} events of ${EVENTS_MAX}, ${(bytes / 1_000).toFixed(1)} kB of ${BYTES_MAX / 1_048_576} MB`,
  );
  await connection.close();
  await service.stop();
}
