import type { Actor, Role } from '../actor.ts';
import { type Agent, onCallOf } from '../domain/agent.ts';

/** The roles a person has by the manifest of an agent: owners manage releases, on-call stops, approvers decide. */
export function rolesOf(agent: Agent, person: string): Role[] {
  const roles: Role[] = [];
  if (agent.owners.includes(person)) roles.push('release-manager');
  if (onCallOf(agent).includes(person)) roles.push('on-call');
  if (mayBeAsked(agent, person)) roles.push('approver');
  return roles;
}

/**
 * A live group may hold anybody, and a deputy is in none: the role only opens the door, the decision itself checks who
 * may answer what.
 */
function mayBeAsked(agent: Agent, person: string): boolean {
  return Object.hasOwn(agent.people, person);
}

/** A person acting for one agent through a surface that knows them by the manifest (Slack, Temporal). */
export const actorFromManifest = (
  agent: Agent,
  person: string,
  via: Actor['via'],
  identity: string,
): Actor => ({
  id: person,
  person,
  roles: Object.hasOwn(agent.people, person) ? rolesOf(agent, person) : [],
  agent: agent.agent,
  via,
  identity,
  attributes: {},
});
