import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { isGateHeld, isStoreDown, isStoreSlow } from '../db/failure.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { addRetryAfter } from './budgets.ts';

export const PROBLEM_TYPE = 'application/problem+json';
const ISSUES_MAX = 50;
const PATH_LENGTH_MAX = 200;
/** What Postgres answers for text it cannot hold, such as a NUL character. */
const UNSTORABLE = new Set(['22021', '22P05']);
const PLACES: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', headers: 'header' };

/** RFC 9457, with the service's stable code. */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  hint: string;
  retry: boolean;
  instance: string;
  details: Readonly<Record<string, unknown>>;
}

/** The same, where a request that was broken off is no failure of the service. */
export function failureOf(error: unknown, { raw }: FastifyRequest): AppError {
  const isBrokenOff = !raw.complete && (raw.destroyed || raw.errored !== null);
  if (isBrokenOff && !(error instanceof AppError))
    return new AppError('invalid_input', 'The request was broken off before its end', {}, { cause: error });
  return asAppError(error);
}

/** Any failure as the one error of the service; what is not known is `internal` and says nothing of its cause. */
export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error);
  if (isGateHeld(error)) {
    const held = 'The gate is held by a change of what is in force: nothing was recorded';
    return new AppError('store_slow', held, {}, { cause: error });
  }
  if (isStoreDown(error)) {
    const away = 'The database does not answer: nothing was recorded';
    return new AppError('store_down', away, {}, { cause: error });
  }
  if (isStoreSlow(error)) {
    const slow = 'The database took too long for this: nothing was recorded';
    return new AppError('store_slow', slow, {}, { cause: error });
  }
  const { code, statusCode } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new AppError('body_too_large', 'The body is over 1 MiB');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new AppError('invalid_input', 'Cannot read a body of this content type: send application/json');
  }
  if (code !== undefined && UNSTORABLE.has(code)) {
    return new AppError(
      'invalid_input',
      'The request holds text that cannot be stored, such as a NUL character',
    );
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500 && code?.startsWith('FST_')) {
    return new AppError('invalid_input', 'The request cannot be read', {}, { cause: error });
  }
  return new AppError('internal', 'Something went wrong inside the service', {}, { cause: error });
}

interface ValidationFailure {
  validation: readonly { instancePath: string; message?: string }[];
  validationContext?: string;
}

/** Each issue with its path, and never the value that was sent. */
function invalidInput({ validation, validationContext }: ValidationFailure): AppError {
  const place = PLACES[validationContext ?? ''] ?? validationContext ?? 'body';
  const issues = validation.slice(0, ISSUES_MAX).map(({ instancePath, message }) => ({
    path: [place, ...instancePath.split('/').filter((part) => part !== '')]
      .join('.')
      .slice(0, PATH_LENGTH_MAX),
    message: message ?? 'is not valid',
  }));
  const lines = issues.map(({ path, message }) => `${path}: ${message}`);
  return new AppError('invalid_input', `Cannot read the request: ${lines.join('; ')}`, { issues });
}

export function problemOf(error: AppError, requestId: string): ProblemDocument {
  const { http, hint, retry } = error.spec;
  const words = error.code.replaceAll('_', ' ');
  return {
    type: `urn:portcullis:error:${error.code}`,
    title: words.charAt(0).toUpperCase() + words.slice(1),
    status: http,
    detail: error.message,
    code: error.code,
    hint: typeof error.details.hint === 'string' ? error.details.hint : hint,
    retry,
    instance: `urn:uuid:${requestId}`,
    details: error.details,
  };
}

/**
 * Failures of the service are logged with their cause under the instance id; those of the caller are not. Other fields
 * of the cause stay out: a database puts values there.
 */
export function logFailure(request: FastifyRequest, error: AppError): void {
  if (error.spec.http < 500) return;
  const cause = error.cause ?? error;
  const { name, stack, code } = (cause instanceof Error ? cause : error) as Error & { code?: unknown };
  request.log.error(
    { code: error.code, instance: request.id, cause: { name, code, stack } },
    'request failed',
  );
}

export function sendProblem(reply: FastifyReply, error: AppError): FastifyReply {
  const problem = problemOf(error, reply.request.id);
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
  addRetryAfter(reply, error);
  // A request that cannot be read meets no hook.
  reply.header('x-content-type-options', 'nosniff');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}
