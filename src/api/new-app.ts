import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyBaseLogger, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Services } from '../services.ts';
import type { Api } from './app.ts';
import { readBodies } from './bodies.ts';
import { type Hosts, requireKnownHost } from './hosts.ts';
import { asAppError, logFailure, sendProblem } from './problems.ts';

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

export interface ListenerOptions {
  bodyLimit: number;
  /** Asked with every request: where people reach the service is known only once it listens. */
  hosts: () => Hosts;
}

/** A listener of this service: exact bodies in, problem documents out, and nothing of a request in the log. */
export function newApp({ log }: Pick<Services, 'log'>, { bodyLimit, hosts }: ListenerOptions): Api {
  const loggerInstance: FastifyBaseLogger = log.child(
    { part: 'api' },
    { redact: { paths: REDACTED, censor: '[redacted]' } },
  );
  const app: Api = Fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    frameworkErrors: (error, _, reply) => void sendProblem(reply, asAppError(error)),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => {
    const problem = asAppError(error);
    logFailure(request, problem);
    return sendProblem(reply, problem);
  });
  app.addHook('onRequest', async (request) => requireKnownHost(request.host, hosts()));
  readBodies(app);
  return app;
}
