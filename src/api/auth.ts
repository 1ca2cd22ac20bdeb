import type { FastifyRequest } from 'fastify';
import { type Actor, type Role, requireRole } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import { authenticateHash, forgetToken, hashOf, isVouchedFor, TOKEN_OVER } from '../tokens/tokens.ts';
import type { Budgets } from './budgets.ts';

/** Everyone but admins, who manage tokens and see nothing else. */
export const READERS: readonly Role[] = ['agent', 'approver', 'release-manager', 'on-call', 'auditor'];
/** Who may see the arguments of an action besides the agent itself. */
export const PEOPLE: readonly Role[] = ['approver', 'release-manager', 'on-call', 'auditor'];
const LOG_READERS: readonly Role[] = ['auditor', 'release-manager', 'on-call'];

const actors = new WeakMap<FastifyRequest, Actor>();

/** The hook of everything under `/v1`: no token, or too many requests, no further. */
export async function authenticateRequest(
  services: Pick<Services, 'db' | 'clock'>,
  request: FastifyRequest,
  budgets: Budgets,
): Promise<void> {
  const token = bearerOf(request);
  const hash = token === undefined ? undefined : hashOf(token);
  if (hash === undefined) await budgets.anonymous(request);
  // A token that stood a moment ago is not kept out by those who try invented ones from the same address.
  else if (!isVouchedFor(services, hash)) await budgets.failed(request, 'peek');
  const via = request.headers['x-portcullis-client'] === 'cli' ? 'cli' : 'api';
  try {
    const { tokenIn = 'store' } = request.routeOptions.config;
    const actor = await authenticateHash(services, hash, via, tokenIn);
    await budgets.token(request, tokenIdOf(actor));
    actors.set(request, actor);
  } catch (error) {
    const isInvented = hash !== undefined && error instanceof AppError && error.code === 'unauthenticated';
    if (isInvented) await budgets.failed(request);
    throw error;
  }
}

/** The hook of failures: a token that a statement refused is looked up again by the next request, and counted as failed. */
export function forgetRefused(
  { db }: Pick<Services, 'db'>,
  request: FastifyRequest,
  error: { code?: string },
): void {
  const token = error.code === 'unauthenticated' ? bearerOf(request) : undefined;
  if (token !== undefined) forgetToken({ db }, hashOf(token));
}

/** The token of the `Authorization` header. */
export function bearerOf(request: FastifyRequest): string | undefined {
  const match = /^Bearer +([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '');
  return match?.[1];
}

/** Whose share of what this process holds it is: the token's, or the address's where there is none that stands. */
export const callerOf = (request: FastifyRequest): string => {
  const actor = actors.get(request);
  return actor ? tokenIdOf(actor) : request.ip;
};

/** The token behind an actor of this surface. */
export const tokenIdOf = ({ identity }: Actor): string => identity.replace(/^token /, '');

/** @throws AppError `unauthenticated` on a route that forgot the hook */
export function actorOf(request: FastifyRequest): Actor {
  const actor = actors.get(request);
  if (!actor) throw new AppError('unauthenticated', TOKEN_OVER);
  return actor;
}

/** May read what concerns `agent`. @throws AppError `forbidden` */
export function requireReader(actor: Actor, agent?: string): void {
  requireRole(actor, READERS, agent);
}

/** May read the log. @throws AppError `forbidden` */
export function requireLogReader(actor: Actor, agent?: string): void {
  requireRole(actor, LOG_READERS, agent);
}

/** Whether the log is shown as it is, with reasons and people. */
export const mayReadLog = (actor: Actor): boolean => actor.roles.some((role) => LOG_READERS.includes(role));

/** Whether the actor's token is of this agent, or of all. */
export const maySee = (actor: Actor, agent: string): boolean =>
  actor.agent === undefined || actor.agent === agent;

/**
 * The agent a list is about: the one asked for, else the token's own.
 * @throws AppError `forbidden` when the token is another agent's
 */
export function agentScope(actor: Actor, asked: string | undefined): string | undefined {
  requireReader(actor, asked);
  return asked ?? actor.agent;
}

/** Whether the reader is shown arguments: people who decide or audit, and the agent that sent them. */
export function maySeeArgs(actor: Actor, agent: string): boolean {
  if (!maySee(actor, agent)) return false;
  return (
    actor.roles.some((role) => PEOPLE.includes(role)) ||
    (actor.roles.includes('agent') && actor.agent === agent)
  );
}
