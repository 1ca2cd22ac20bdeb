import type { ActionRow } from '../actions/store.ts';
import type { Actor, Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { rightToApprove, type Standing } from '../domain/approval.ts';
import { groupsOf } from '../domain/release.ts';
import { readAgentStanding } from './standing.ts';

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
  const actions = await query.execute();
  const editors = await editorsOf(db.sql, actions);
  const standings = new Map<string, Standing>();
  for (const agent of new Set(actions.map((action) => action.agent))) {
    const groups = actions.flatMap((action) =>
      action.agent === agent && action.approval
        ? [...groupsOf(action.approval), ...action.routed.map(({ group }) => group)]
        : [],
    );
    standings.set(agent, await readAgentStanding(db.sql, agent, [...new Set(groups)], clock.now()));
  }
  return actions.flatMap((action) => {
    const standing = standings.get(action.agent);
    return standing ? [{ action, standing: { ...standing, editors: editors.get(action.id) ?? [] } }] : [];
  });
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
  const may = waiting.filter(({ action, standing }) => 'right' in rightToApprove(person, standing, action));
  if (may.length === 0) return [];
  const answered = await services.db.sql
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
  return may.map(({ action }) => action).filter(({ id, round }) => !done.has(`${id}/${round}`));
}

async function editorsOf(db: Sql, actions: readonly ActionRow[]): Promise<Map<string, string[]>> {
  const edited = actions.filter(({ round }) => round > 0).map(({ id }) => id);
  const editors = new Map<string, string[]>();
  if (edited.length === 0) return editors;
  const rows = await db
    .selectFrom('action_edit')
    .select(['action_id', 'editor'])
    .where('action_id', 'in', edited)
    .execute();
  for (const { action_id, editor } of rows)
    editors.set(action_id, [...(editors.get(action_id) ?? []), editor]);
  return editors;
}
