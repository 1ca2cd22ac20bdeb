import { sql } from 'kysely';
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

/**
 * The same for several groups of an agent, without the editors of any action. One question to the store: it stands
 * between every tap and its commit.
 * @throws AppError `unknown_agent`
 */
export async function readAgentStanding(
  db: Sql,
  name: string,
  groups: readonly string[],
  at: Date,
): Promise<Standing> {
  const { rows } = await sql<Omit<Standing, 'stale' | 'editors'>>`
    SELECT a.manifest AS agent,
      coalesce((SELECT jsonb_agg(jsonb_build_object('group', m.grp, 'person', m.person) ORDER BY m.grp, m.person)
        FROM agent_approver m WHERE m.agent = a.name AND m.grp = ANY (${[...groups]}::text[])
          AND coalesce(m.from_at, '-infinity') <= ${at} AND coalesce(m.until_at, 'infinity') > ${at}), '[]') AS members,
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'from', d.from_person, 'to', d.to_person,
          'group', d.grp) ORDER BY d.starts_at, d.id)
        FROM deputy d WHERE d.agent = a.name AND d.starts_at <= ${at} AND d.ends_at > ${at}
          AND d.revoked_at IS NULL), '[]') AS deputies
    FROM agent a WHERE a.name = ${name}`.execute(db);
  const [row] = rows;
  if (!row) throw new AppError('unknown_agent', `Agent "${name}" is not known`);
  return { ...row, stale: await staleOf(db, row.agent, groups, at), editors: [] };
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
