import type { ActionRow } from '../actions/store.ts';
import type { Sql } from '../db/database.ts';
import { type Agent, groupOf, isLive } from '../domain/agent.ts';
import type { Standing } from '../domain/approval.ts';
import { groupsOf } from '../domain/release.ts';
import { AppError } from '../errors.ts';

type Asked = Pick<ActionRow, 'id' | 'agent' | 'approval' | 'routed' | 'round'>;

/** Who is what for one action at one moment: members of the groups it asks, deputies, editors. */
export async function readStanding(db: Sql, action: Asked, at: Date): Promise<Standing> {
  const asked = action.approval ? groupsOf(action.approval) : [];
  const groups = [...new Set([...asked, ...action.routed.map(({ group }) => group)])];
  const standing = await readAgentStanding(db, action.agent, groups, at);
  if (action.round === 0) return standing;
  const edits = await db
    .selectFrom('action_edit')
    .select('editor')
    .where('action_id', '=', action.id)
    .execute();
  return { ...standing, editors: edits.map(({ editor }) => editor) };
}

/** The same for several groups of an agent, without the editors of any action. */
export async function readAgentStanding(
  db: Sql,
  name: string,
  groups: readonly string[],
  at: Date,
): Promise<Standing> {
  const agent = await manifestOf(db, name);
  const members = await membersOf(db, name, groups, at);
  const stale = await staleOf(db, agent, groups, at);
  return { agent, members, stale, deputies: await deputiesOf(db, name, at), editors: [] };
}

/** @throws AppError `unknown_agent` */
export async function manifestOf(db: Sql, agent: string): Promise<Agent> {
  const row = await db.selectFrom('agent').select('manifest').where('name', '=', agent).executeTakeFirst();
  if (!row) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  return row.manifest;
}

async function membersOf(db: Sql, agent: string, groups: readonly string[], at: Date) {
  if (groups.length === 0) return [];
  const rows = await db
    .selectFrom('agent_approver')
    .select(['grp', 'person'])
    .where('agent', '=', agent)
    .where('grp', 'in', groups)
    .where((where) => where.or([where('from_at', 'is', null), where('from_at', '<=', at)]))
    .where((where) => where.or([where('until_at', 'is', null), where('until_at', '>', at)]))
    .orderBy('grp')
    .orderBy('person')
    .execute();
  return rows.map(({ grp, person }) => ({ group: grp, person }));
}

/** The live groups of these whose members are not known well enough to count anybody. */
export async function staleOf(db: Sql, agent: Agent, groups: readonly string[], at: Date): Promise<string[]> {
  const live = groups.filter((name) => {
    const group = groupOf(agent, name);
    return group !== undefined && isLive(group);
  });
  if (live.length === 0) return [];
  const fresh = await db
    .selectFrom('group_source')
    .select('grp')
    .where('agent', '=', agent.agent)
    .where('grp', 'in', live)
    .where('fresh_until', '>', at)
    .execute();
  return live.filter((name) => !fresh.some(({ grp }) => grp === name));
}

async function deputiesOf(db: Sql, agent: string, at: Date): Promise<Standing['deputies']> {
  const rows = await db
    .selectFrom('deputy')
    .select(['id', 'from_person', 'to_person', 'grp'])
    .where('agent', '=', agent)
    .where('starts_at', '<=', at)
    .where('ends_at', '>', at)
    .where('revoked_at', 'is', null)
    .orderBy('starts_at')
    .orderBy('id')
    .execute();
  return rows.map(({ id, from_person, to_person, grp }) => ({
    id,
    from: from_person,
    to: to_person,
    group: grp,
  }));
}
