import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type Selectable, sql } from 'kysely';
import type { OutboxTable } from '../db/tables.ts';
import { groupBy } from '../domain/group-by.ts';
import type { Services } from '../services.ts';
import { queueOf, TOPICS } from './queues.ts';
import { rolloutInputOf } from './rollout-input.ts';

/** Of each topic in one pass: soon it looks again at all of them, whatever one of them has. */
const BATCH = 40;
const AT_ONCE = 20;
const BACKOFF_MAX_S = 10;

type OutboxRow = Selectable<OutboxTable>;

export interface DispatchOptions {
  /** The queue in which a topic's workflows begin. */
  queue?: (topic: OutboxRow['topic']) => string;
  /** Throws where another process tells them by now. */
  assertMine?: () => Promise<void>;
}

interface Pass extends Required<DispatchOptions> {
  services: Services;
  client: Client;
}

/**
 * Tells the workflows what was committed: each outbox entry becomes a signal-with-start, entries of one key together, and
 * no topic behind another. What Temporal does not take stays and is tried again. Returns how many keys were told.
 */
export async function dispatchOutbox(
  services: Services,
  client: Client,
  { queue = queueOf, assertMine = async () => {} }: DispatchOptions = {},
): Promise<number> {
  const { rows } = await sql<OutboxRow>`
    SELECT o.* FROM unnest(${TOPICS}::text[]) AS t (topic) CROSS JOIN LATERAL (
      SELECT * FROM outbox WHERE topic = t.topic AND not_before <= clock_timestamp() ORDER BY id LIMIT ${BATCH}) o
    ORDER BY o.id`.execute(services.db.sql);
  const pass = { services, client, queue, assertMine };
  const topics = await Promise.all(
    TOPICS.map((topic) => tellTopic(pass, byKey(rows.filter((row) => row.topic === topic)))),
  );
  const told = topics.reduce((sum, topic) => sum + topic.told, 0);
  const failed = topics.find((topic) => 'failed' in topic);
  if (failed && told === 0) throw failed.failed;
  // More than one pass takes may wait: it goes on at once.
  if (rows.length >= BATCH && told > 0) services.wake();
  return told;
}

async function tellTopic(
  pass: Pass,
  keys: readonly OutboxRow[][],
): Promise<{ told: number; failed?: unknown }> {
  let told = 0;
  for (let start = 0; start < keys.length; start += AT_ONCE) {
    await pass.assertMine();
    const results = await Promise.allSettled(
      keys.slice(start, start + AT_ONCE).map((group) => tell(pass, group)),
    );
    told += results.filter((result) => result.status === 'fulfilled').length;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) return { told, failed: failed.reason };
  }
  return { told };
}

const byKey = (rows: readonly OutboxRow[]): OutboxRow[][] => [
  ...groupBy(rows, ({ topic, key }) => `${topic}/${key}`).values(),
];

async function tell({ services, client, queue }: Pass, group: OutboxRow[]): Promise<void> {
  const ids = group.map((row) => row.id);
  const [first] = group;
  if (!first) return;
  try {
    await signal(services, client, queue(first.topic), first);
    await services.db.sql.deleteFrom('outbox').where('id', 'in', ids).execute();
  } catch (error) {
    await sql`UPDATE outbox SET attempts = attempts + 1, error = ${String(error).slice(0, 500)},
      not_before = clock_timestamp() + make_interval(secs => least(${BACKOFF_MAX_S}, 0.2 * power(2, least(attempts, 10))))
      WHERE id = ANY (${ids})`.execute(services.db.sql);
    throw error;
  }
}

async function signal(
  services: Services,
  client: Client,
  taskQueue: string,
  { topic, key, payload }: OutboxRow,
): Promise<void> {
  const start = (type: string, workflowId: string, args: unknown[]) =>
    client.workflow.signalWithStart(type, { workflowId, taskQueue, args, signal: 'changed', signalArgs: [] });
  if (topic === 'action') await start('governedAction', `action/${key}`, [{ actionId: key }]);
  else if (topic === 'alert') await start('alert', `alert/${key}`, [{ alertId: key }]);
  else if (topic === 'digest') await start('approvalDigest', `digest/${key}`, [{ agent: key }]);
  else if (topic === 'callback') await startCallback(client, taskQueue, key, payload);
  else await start('rollout', `rollout/${key}`, [await rolloutInputOf(services, key)]);
}

/**
 * Once for each action and revision: what was started before this entry could be deleted is not started again, unless it
 * was ended before it had delivered.
 */
async function startCallback(
  client: Client,
  taskQueue: string,
  key: string,
  payload: OutboxRow['payload'],
): Promise<void> {
  const [actionId, revision] = key.split('/');
  const started = client.workflow.start('agentCallback', {
    workflowId: `callback/${key}`,
    taskQueue,
    args: [{ actionId, revision: Number(revision), ...payload }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY',
  });
  await started.catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  });
}
