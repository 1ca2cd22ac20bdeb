import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import type { Services } from '../services.ts';
import { agentOfScope, refuseOneAgentsToken } from './disable.ts';

export interface EnableAnswer {
  status: 'enabled' | 'already_enabled' | 'second_person_needed';
  epoch?: number;
  askedBy?: string;
}

/**
 * Opens the gate again. An agent or a tool takes one person and a reason; `everything` takes two different people,
 * and the first is answered `second_person_needed`.
 * @throws AppError `forbidden` for tokens without a person
 */
export async function enable(
  services: Services,
  actor: Actor,
  { scope, reason }: { scope: string; reason: string },
): Promise<EnableAnswer> {
  requireRole(actor, ['on-call', 'release-manager'], agentOfScope(scope));
  refuseOneAgentsToken(actor, scope);
  if (!actor.person)
    throw new AppError('forbidden', 'Only a person enables: use a token made for one (--person)');
  requireReason(reason, 'enable');
  const { rows } = await sql<{ answer: EnableAnswer }>`
    SELECT enable_switch(${scope}, ${reason}, ${actor.person}, ${services.clock.now()}) AS answer`.execute(
    services.db.sql,
  );
  services.wake();
  const answer = rows[0]?.answer;
  if (!answer) throw new Error('enable_switch answered nothing');
  return answer;
}
