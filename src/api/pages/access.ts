import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Services } from '../../services.ts';
import { requireReader } from '../auth.ts';
import { requireFormToken, requireSameOrigin, type Session, sessionOf } from './session.ts';

/** @throws AppError `unauthenticated`, `forbidden` */
export async function requireSession(
  services: Services,
  request: FastifyRequest,
  agent?: string,
): Promise<Session> {
  const session = await sessionOf(services, request);
  if (!session) throw new AppError('unauthenticated', 'You are signed out: sign in and try again');
  requireReader(session.actor, agent);
  return session;
}

/**
 * The session of a form that a person sent from a page of this service.
 * @throws AppError `unauthenticated`, `forbidden`
 */
export async function requireForm(services: Services, request: FastifyRequest): Promise<Session> {
  requireSameOrigin(services, request);
  const session = await requireSession(services, request);
  requireFormToken(session, (request.body as Record<string, unknown> | null | undefined)?.form);
  return session;
}
