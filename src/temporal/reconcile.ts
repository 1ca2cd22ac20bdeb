import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import {
  type MissingWorkflow,
  openRecords,
  restartWorkflows,
  type WorkflowOf,
} from '../records/reconciliation.ts';
import type { Services } from '../services.ts';

const AT_ONCE = 20;

const TYPES = ['rollout', 'governedAction', 'alert', 'approvalDigest', 'agentCallback'];
const RUNNING = `ExecutionStatus = 'Running' AND WorkflowType IN (${TYPES.map((type) => `'${type}'`).join(', ')})`;
const THERE: readonly string[] = ['RUNNING', 'CONTINUED_AS_NEW', 'PAUSED'];
/** Their workflows end by themselves only when everything was delivered. */
const ENDS_WHEN_DONE: readonly WorkflowOf['topic'][] = ['alert', 'callback', 'digest'];

/**
 * Compares the records that a workflow must be working for with the workflows that run, and has started what is
 * missing: terminated from outside, or lost with Temporal's store. Answers what it found missing.
 */
export async function reconcile(services: Services, client: Client): Promise<MissingWorkflow[]> {
  const now = services.clock.now();
  // The list first: what is not in it and was started since is found running when it is looked at.
  const running = await runningIds(client);
  const open = await openRecords(services.db.sql, now);
  const absent = open.filter((record) => !running.has(`${record.topic}/${record.key}`));
  const missing = await lookAt(client, absent);
  await restartWorkflows(services.db.sql, now, open.length, missing);
  for (const { topic, key, found } of missing)
    services.log.warn({ workflow: `${topic}/${key}`, found }, 'workflow was missing: started again');
  if (missing.length > 0) services.wake();
  return missing;
}

async function runningIds(client: Client): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: RUNNING, pageSize: 1_000 }))
    ids.add(workflowId);
  return ids;
}

async function lookAt(client: Client, absent: readonly WorkflowOf[]): Promise<MissingWorkflow[]> {
  const missing: MissingWorkflow[] = [];
  for (let start = 0; start < absent.length; start += AT_ONCE) {
    const records = absent.slice(start, start + AT_ONCE);
    const found = await Promise.all(records.map((record) => statusOf(client, record)));
    records.forEach((record, index) => {
      const status = found[index] ?? 'not found';
      if (!isThere(record, status)) missing.push({ ...record, found: status.toLowerCase() });
    });
  }
  return missing;
}

const isThere = ({ topic }: WorkflowOf, status: string): boolean =>
  THERE.includes(status) || (status === 'COMPLETED' && ENDS_WHEN_DONE.includes(topic));

/** Of its latest run. The list lags behind: only this counts. */
async function statusOf(client: Client, { topic, key }: WorkflowOf): Promise<string> {
  try {
    const described = await client.workflow.getHandle(`${topic}/${key}`).describe();
    return described.status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'not found';
    throw error;
  }
}
