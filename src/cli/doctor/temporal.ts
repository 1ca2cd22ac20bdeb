import type { Config } from '../../config.ts';
import { type Check, fail, ok, wordsOf } from './check.ts';

const WITHIN_MS = 5_000;
const WORKFLOW_QUEUE = 1;

/** A Temporal cluster: whether it answers, has the namespace, and somebody polls. */
export async function checkTemporal({ address, namespace }: Config['temporal']): Promise<Check[]> {
  if (!address) return [ok('Temporal', 'embedded: portcullis up starts it')];
  const { Connection } = await import('@temporalio/client');
  const { TASK_QUEUE } = await import('../../temporal/worker.ts');
  let connection: Awaited<ReturnType<typeof Connection.connect>> | undefined;
  try {
    connection = await Connection.connect({ address, connectTimeout: WITHIN_MS });
    const { workflowService } = connection;
    const within = <T>(call: () => Promise<T>): Promise<T> =>
      connection?.withDeadline(Date.now() + WITHIN_MS, call) ?? call();
    await within(() => workflowService.describeNamespace({ namespace }));
    const checks = [ok('Temporal', `answers at ${address}, namespace ${namespace}`)];
    const queue = await within(() =>
      workflowService.describeTaskQueue({
        namespace,
        taskQueue: { name: TASK_QUEUE },
        taskQueueType: WORKFLOW_QUEUE,
      }),
    );
    const pollers = queue.pollers?.length ?? 0;
    const mend = 'Start one: portcullis up --roles worker';
    checks.push(
      pollers > 0
        ? ok('worker', `${pollers} polling`)
        : fail('worker', 'nobody polls: decisions count, cards and rollouts wait', mend),
    );
    return checks;
  } catch (error) {
    const mend = 'Check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, and that it runs there';
    return [fail('Temporal', `${address}, namespace ${namespace}: ${wordsOf(error)}`, mend)];
  } finally {
    await connection?.close();
  }
}
