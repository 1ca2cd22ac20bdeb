import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type Agent, groupOf, isLive } from '../domain/agent.ts';
import type { Eligibility } from '../domain/approval/approval.ts';
import { groupsOf } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import type { ActionRow } from '../records/action.ts';

type Asked = Pick<ActionRow, 'id' | 'agent' | 'approval' | 'routed' | 'round'>;

/** Who is what for one action at one moment: members of the groups it asks, deputies, editors. */
export async function readEligibility(db: Sql, action: Asked, at: Date): Promise<Eligibility> {
  const [found] = await withEligibility(db, [action], at);
  if (!found) throw new Error(`nobody was read who may answer action ${action.id}`);
  return found.eligibility;
}

/** The same for several, in their order: one question for each of their agents. @throws AppError `unknown_agent` */
export async function withEligibility<A extends Asked>(
  db: Sql,
  actions: readonly A[],
  at: Date,
): Promise<{ action: A; eligibility: Eligibility }[]> {
  const byAgent = new Map<string, Eligibility>();
  for (const agent of new Set(actions.map((action) => action.agent))) {
    const groups = actions.flatMap((action) => (action.agent === agent ? groupsAsked(action) : []));
    byAgent.set(agent, await readAgentEligibility(db, agent, [...new Set(groups)], at));
  }
  const editors = await editorsOf(db, actions);
  return actions.flatMap((action) => {
    const eligibility = byAgent.get(action.agent);
    return eligibility
      ? [{ action, eligibility: { ...eligibility, editors: editors.get(action.id) ?? [] } }]
      : [];
  });
}

/** Every group that may have a say in an action: those of its policy, and those it was passed on to. */
const groupsAsked = ({ approval, routed }: Asked): string[] => [
  ...(approval ? groupsOf(approval) : []),
  ...routed.map(({ group }) => group),
];

/** Who changed the arguments, by action. */
async function editorsOf(db: Sql, actions: readonly Asked[]): Promise<Map<string, string[]>> {
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

/** Who is what in these groups of an agent; editors are of an action. @throws AppError `unknown_agent` */
async function readAgentEligibility(
  db: Sql,
  name: string,
  groups: readonly string[],
  at: Date,
): Promise<Eligibility> {
  const { rows } = await sql<Omit<Eligibility, 'stale' | 'editors'> & { fresh: string[] }>`
    SELECT a.manifest AS agent,
      coalesce((SELECT jsonb_agg(jsonb_build_object('group', m.grp, 'person', m.person) ORDER BY m.grp, m.person)
        FROM agent_approver m WHERE m.agent = a.name AND m.grp = ANY (${[...groups]}::text[])
          AND coalesce(m.from_at, '-infinity') <= ${at} AND coalesce(m.until_at, 'infinity') > ${at}), '[]') AS members,
      coalesce((SELECT jsonb_agg(jsonb_build_object('id', d.id, 'from', d.from_person, 'to', d.to_person,
          'group', d.grp) ORDER BY d.starts_at, d.id)
        FROM deputy d WHERE d.agent = a.name AND d.starts_at <= ${at} AND d.ends_at > ${at}
          AND d.revoked_at IS NULL), '[]') AS deputies,
      coalesce((SELECT jsonb_agg(s.grp) FROM group_source s WHERE s.agent = a.name AND s.fresh_until > ${at}), '[]')
        AS fresh
    FROM agent a WHERE a.name = ${name}`.execute(db);
  const [row] = rows;
  if (!row) throw new AppError('unknown_agent', `Agent "${name}" is not known`);
  const { fresh, ...known } = row;
  return {
    ...known,
    stale: staleIn(row.agent, fresh).filter((group) => groups.includes(group)),
    editors: [],
  };
}

/** The live groups whose members are not known well enough to count anybody: all but the fresh ones. */
export const staleIn = (agent: Agent, fresh: readonly string[]): string[] =>
  Object.keys(agent.approvers).filter((name) => {
    const group = groupOf(agent, name);
    return group !== undefined && isLive(group) && !fresh.includes(name);
  });
