import {
  Client,
  Connection,
  type ConnectionOptions,
  defaultGrpcRetryOptions,
  makeGrpcRetryInterceptor,
} from '@temporalio/client';
import type { TemporalAccess } from './connection.ts';

type Interceptor = NonNullable<ConnectionOptions['interceptors']>[number];

/** What a request to Temporal may take, with everything that is tried again. */
const CALL_MS = 10_000;

/**
 * A client that connects when it is first used, and waits for no request for longer than `withinMs`. What each request has by way
 * of deadline and headers it has without an AsyncLocalStorage, in which the SDK keeps both: from its first use on Node 20 looks at
 * every promise that the process makes, which is a fifth of what an answer to an agent takes.
 */
export function openClient(access: TemporalAccess, namespace: string, withinMs = CALL_MS): Client {
  const inTime: Interceptor = (options, nextCall) =>
    // Typed as the class, used by its interface alone.
    nextCall({ ...options, deadline: options.deadline ?? Date.now() + withinMs }) as ReturnType<Interceptor>;
  const connection = SteadyConnection.lazy({
    ...access,
    metadata: { 'temporal-namespace': namespace },
    interceptors: [inTime, makeGrpcRetryInterceptor(defaultGrpcRetryOptions())],
  });
  return new Client({ connection, namespace });
}

/** Each of its requests has the same headers: the SDK would add the namespace to one at a time. */
class SteadyConnection extends Connection {
  override withMetadata<T>(_: unknown, request: () => Promise<T>): Promise<T> {
    return request();
  }
}
