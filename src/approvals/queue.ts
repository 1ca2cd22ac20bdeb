import type { ActionRow } from '../actions/store.ts';
import type { Actor, Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { rightToApprove, type Standing } from '../domain/approval.ts';
import { withStanding } from './standing.ts';

const LOOKED_AT_MAX = 500;

/** What waits, oldest first, with who is what for each of it. */
export async function waitingActions(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  agents: readonly string[] | undefined,
): Promise<{ action: ActionRow; standing: Standing }[]> {
  if (agents?.length === 0) return [];
  let query = db.sql
    .selectFrom('action')
    .selectAll()
    .where('state', '=', 'pending')
    .orderBy('asked_at')
    .orderBy('id')
    .limit(LOOKED_AT_MAX);
  // What is over is ended by the sweeper within a second; nobody is asked for it meanwhile.
  query = query.where((where) =>
    where.or([where('expires_at', 'is', null), where('expires_at', '>', clock.now())]),
  );
  if (agents) query = query.where('agent', 'in', agents);
  return withStanding(db.sql, await query.execute(), clock.now());
}

/** What a person may answer now, oldest first, and has not answered. */
export async function queueFor(
  services: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  { agent }: { agent?: string } = {},
): Promise<ActionRow[]> {
  const { person } = actor;
  if (!person) return [];
  const scope = agent ?? actor.agent;
  const waiting = await waitingActions(services, scope === undefined ? undefined : [scope]);
  const may = await answerableBy(services.db.sql, person, waiting);
  return may.map(({ action }) => action);
}

/** Of these, those the person may approve now and has not answered in their round, in the same order. */
export async function answerableBy<W extends { action: ActionRow; standing: Standing }>(
  db: Sql,
  person: string,
  waiting: readonly W[],
): Promise<W[]> {
  const may = waiting.filter(({ action, standing }) => 'right' in rightToApprove(person, standing, action));
  if (may.length === 0) return [];
  const answered = await db
    .selectFrom('decision')
    .select(['action_id', 'round'])
    .where('person', '=', person)
    .where(
      'action_id',
      'in',
      may.map(({ action }) => action.id),
    )
    .execute();
  const done = new Set(answered.map(({ action_id, round }) => `${action_id}/${round}`));
  return may.filter(({ action }) => !done.has(`${action.id}/${action.round}`));
}
