import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Services } from '../services.ts';
import type { Api } from './app.ts';
import { readBodies } from './bodies.ts';
import { serializerCompiler, validatorCompiler } from './compiled.ts';
import { protectAnswer } from './headers.ts';
import { type Hosts, requireKnownHost } from './hosts.ts';
import { asAppError, failureOf, logFailure, sendProblem } from './problems.ts';

/** What never reaches the service log. */
const REDACTED = [
  'req.headers',
  'headers',
  'authorization',
  'cookie',
  'args',
  'token',
  'body',
  '*.args',
  '*.token',
];

const REQUEST_SENT_WITHIN_MS = 10_000;
const CHECKED_EVERY_MS = 1_000;

export interface ListenerOptions {
  bodyLimit: number;
  /** Asked with every request: where people reach the service is known only once it listens. */
  hosts: () => Hosts;
  /** Proxies whose word is taken for who calls and under which name; without any, nobody's. */
  trustProxy?: readonly string[];
}

/** A listener of this service: exact bodies in, problem documents out, and nothing of a request in the log. */
export function newApp(
  { log }: Pick<Services, 'log'>,
  { bodyLimit, hosts, trustProxy }: ListenerOptions,
): Api {
  const loggerInstance: FastifyBaseLogger = log.child(
    { part: 'api' },
    { redact: { paths: REDACTED, censor: '[redacted]' } },
  );
  const app: Api = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    // Of a whole request: whoever sends one byte a second holds nothing for longer. A long poll has been sent by then.
    requestTimeout: REQUEST_SENT_WITHIN_MS,
    // Node takes the larger of the two for the whole request.
    http: { headersTimeout: REQUEST_SENT_WITHIN_MS, connectionsCheckingInterval: CHECKED_EVERY_MS },
    ...(trustProxy?.length ? { trustProxy: [...trustProxy] } : {}),
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _, reply) => void sendProblem(reply, asAppError(error)),
  }).withTypeProvider<ZodTypeProvider>();
  app.addHook('preClose', async () => {
    // Node looks at no connection any more once it closes: whoever has sent no whole request would keep it from stopping.
    const late = setTimeout(() => app.server.closeAllConnections(), REQUEST_SENT_WITHIN_MS);
    app.server.once('close', () => clearTimeout(late));
  });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const problem = failureOf(error, request);
    logFailure(request, problem);
    return sendProblem(reply, problem);
  });
  app.addHook('onRequest', (request, reply, done) => {
    const known = hosts();
    protectAnswer(reply, known.publicUrl);
    requireKnownHost(request.host, known);
    done();
  });
  readBodies(app);
  return app;
}
