import type { Client } from '@temporalio/client';
import type { TemporalConfig } from '../../config/temporal.ts';
import { AppError } from '../../errors.ts';
import { type Check, fail, ok, wordsOf } from './check.ts';

const WITHIN_MS = 5_000;

/** Who asks each queue for workflows: only a worker of this version's build counts, and one for each queue. */
export function pollersCheck(
  queues: readonly { queue: string; builds: readonly string[] }[],
  build: string,
): Check {
  const name = 'worker';
  const counts = queues.map(({ builds }) => builds.filter((one) => one === build).length);
  const lacking = queues.filter((_, n) => counts[n] === 0).map(({ queue }) => queue);
  const others = queues.map(({ builds }) => builds.filter((one) => one !== build));
  const most = Math.max(...others.map(({ length }) => length));
  const beside = most > 0 ? `, ${most} of other builds (${[...new Set(others.flat())].join(', ')})` : '';
  if (lacking.length === 0)
    return ok(name, `${Math.min(...counts)} polling with build ${build} of this version${beside}`);
  const mend =
    'Start a worker of this version (portcullis up --roles worker). If one runs, Temporal may refuse its build: /readyz of that process says so and what to do';
  if (lacking.length < queues.length)
    return fail(name, `none polls ${lacking.join(', ')} with build ${build} of this version${beside}`, mend);
  if (most > 0) return fail(name, `none polls with build ${build} of this version${beside}`, mend);
  return fail(
    name,
    'nobody polls: decisions count, cards and rollouts wait',
    'Start one: portcullis up --roles worker',
  );
}

/** A Temporal cluster: whether it answers, has the namespace, and somebody polls. */
export async function checkTemporal(config: Omit<TemporalConfig, 'slots'>): Promise<Check[]> {
  const { address, namespace, tls, apiKey } = config;
  if (!address) return [ok('Temporal', 'embedded: portcullis up starts it')];
  const { Client, Connection } = await import('@temporalio/client');
  const { temporalAccess } = await import('../../temporal/connection.ts');
  let connection: Awaited<ReturnType<typeof Connection.connect>> | undefined;
  try {
    const access = temporalAccess(address, config);
    connection = await Connection.connect({ ...access, connectTimeout: WITHIN_MS });
    const client = new Client({ connection, namespace });
    await connection.withDeadline(Date.now() + WITHIN_MS, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    const by = [tls && (tls.clientCertPath ? 'by mTLS' : 'by TLS'), apiKey && 'with an API key'];
    const how = by.filter(Boolean).join(' ');
    const answers = ok('Temporal', `answers at ${address}${how && ` ${how}`}, namespace ${namespace}`);
    return [answers, await workerCheck(client, namespace)];
  } catch (error) {
    if (error instanceof AppError) return [fail('Temporal', error.message, error.spec.hint)];
    const secured = tls ? ', the TEMPORAL_TLS_… variables and TEMPORAL_API_KEY' : ' (does it want TLS?)';
    const mend = `Check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE${secured}, and that it runs there`;
    return [fail('Temporal', `${address}, namespace ${namespace}: ${wordsOf(error)}`, mend)];
  } finally {
    await connection?.close();
  }
}

async function workerCheck(client: Client, namespace: string): Promise<Check> {
  const { pollersOf } = await import('../../temporal/deployment.ts');
  const { sourcesDigest } = await import('../../temporal/bundle.ts');
  const { QUEUES } = await import('../../domain/queues.ts');
  const queues = await Promise.all(
    Object.values(QUEUES).map(async (queue) => {
      const pollers = await pollersOf({ client, namespace }, queue);
      return { queue, builds: pollers.map(({ build }) => build) };
    }),
  );
  return pollersCheck(queues, sourcesDigest());
}
