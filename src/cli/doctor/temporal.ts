import type { Config } from '../../config.ts';
import { type Check, fail, ok, wordsOf } from './check.ts';

const WITHIN_MS = 5_000;
const WORKFLOW_QUEUE = 1;

/** Who polls for workflows: only a worker of this version's build counts. */
function pollersCheck(builds: readonly string[], build: string): Check {
  const name = 'worker';
  const own = builds.filter((one) => one === build).length;
  const others = builds.filter((one) => one !== build);
  const beside =
    others.length > 0 ? `, ${others.length} of other builds (${[...new Set(others)].join(', ')})` : '';
  if (own > 0) return ok(name, `${own} polling with build ${build} of this version${beside}`);
  if (others.length === 0) {
    const mend = 'Start one: portcullis up --roles worker';
    return fail(name, 'nobody polls: decisions count, cards and rollouts wait', mend);
  }
  const mend =
    'Start a worker of this version (portcullis up --roles worker). If one runs, Temporal may refuse its build: /readyz of that process says so and what to do';
  return fail(name, `none polls with build ${build} of this version${beside}`, mend);
}

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
    const { sourcesDigest } = await import('../../temporal/bundle.ts');
    const builds = (queue.pollers ?? []).map((poller) => poller.deploymentOptions?.buildId || 'no build');
    return [...checks, pollersCheck(builds, sourcesDigest())];
  } catch (error) {
    const mend = 'Check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE, and that it runs there';
    return [fail('Temporal', `${address}, namespace ${namespace}: ${wordsOf(error)}`, mend)];
  } finally {
    await connection?.close();
  }
}
