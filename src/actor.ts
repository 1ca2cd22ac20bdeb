import { AppError } from './errors.ts';

export const ROLES = ['agent', 'approver', 'release-manager', 'on-call', 'auditor', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** Who acts, through what, and how that is known. No role contains another. */
export interface Actor {
  /** The person where there is one, else the token or part of the service. Shown in logs and on cards. */
  id: string;
  person?: string;
  roles: readonly Role[];
  /** Set: acts for this agent alone. */
  agent?: string;
  via: 'api' | 'cli' | 'web' | 'slack' | 'temporal' | 'service';
  /** How the identity was established, e.g. `token 3f2a…` or `slack U0ANA/T0AIR`. */
  identity: string;
  /** The token by which it acts, and the epoch of tokens in which that was looked up: the statement that acts asks whether it stands still. */
  token?: { id: string; epoch: number };
  /** Trusted attributes the token carries. */
  attributes: Readonly<Record<string, unknown>>;
}

/**
 * First line of every verb that changes something.
 * @throws AppError `forbidden`
 */
export function requireRole(actor: Actor, roles: readonly Role[], agent?: string): void {
  if (!roles.some((role) => actor.roles.includes(role))) {
    throw new AppError('forbidden', `${actor.id} may not do this: it needs the role ${roles.join(' or ')}`, {
      roles,
    });
  }
  if (agent !== undefined && actor.agent !== undefined && actor.agent !== agent) {
    throw new AppError('forbidden', `${actor.id} acts for agent ${actor.agent}, not for ${agent}`);
  }
}

/** What concerns all agents is no business of a token of one. @throws AppError `forbidden`, which ends with `why` */
export function requireAllAgents(
  actor: Actor,
  why: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  if (actor.agent !== undefined)
    throw new AppError('forbidden', `${actor.id} acts for agent ${actor.agent}${why}`, details);
}

/**
 * What is found by its id and belongs to another agent is not there for a token of one agent: the answer is that of an
 * id that is of nothing.
 * @throws AppError `missing`
 */
export function requireOwn(actor: Actor, { agent }: { agent: string | null }, missing: AppError): void {
  if (actor.agent !== undefined && actor.agent !== agent) throw missing;
}

/** The service itself, where a clock or a judge acts and no person does. */
export const serviceActor = (id: string): Actor => ({
  id,
  roles: [],
  via: 'service',
  identity: 'portcullis',
  attributes: {},
});
