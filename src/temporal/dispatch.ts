import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type Selectable, sql } from 'kysely';
import type { OutboxTable } from '../db/tables.ts';
import type { Services } from '../services.ts';
import { rolloutInputOf } from './rollout-input.ts';

const BATCH = 200;
const AT_ONCE = 20;
const CALL_MS = 5_000;
const BACKOFF_MAX_S = 10;

type OutboxRow = Selectable<OutboxTable>;

/**
 * Tells the workflows what was committed: each outbox entry becomes a signal-with-start, entries of one key together.
 * What Temporal does not take stays and is tried again. `assertMine` throws where another process tells them by now.
 * Returns how many keys were told.
 */
export async function dispatchOutbox(
  services: Services,
  client: Client,
  taskQueue: string,
  assertMine: () => Promise<void> = async () => {},
): Promise<number> {
  const rows = await services.db.sql
    .selectFrom('outbox')
    .selectAll()
    .where('not_before', '<=', sql<Date>`clock_timestamp()`)
    .orderBy('id')
    .limit(BATCH)
    .execute();
  const keys = byKey(rows);
  let told = 0;
  for (let start = 0; start < keys.length; start += AT_ONCE) {
    await assertMine();
    const results = await Promise.allSettled(
      keys.slice(start, start + AT_ONCE).map((group) => tell(services, client, taskQueue, group)),
    );
    told += results.filter((result) => result.status === 'fulfilled').length;
    const failed = results.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }
  return told;
}

function byKey(rows: readonly OutboxRow[]): OutboxRow[][] {
  const groups = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const key = `${row.topic}/${row.key}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

async function tell(
  services: Services,
  client: Client,
  taskQueue: string,
  group: OutboxRow[],
): Promise<void> {
  const ids = group.map((row) => row.id);
  const [first] = group;
  if (!first) return;
  try {
    await client.connection.withDeadline(Date.now() + CALL_MS, () =>
      signal(services, client, taskQueue, first),
    );
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
