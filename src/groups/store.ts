import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type Agent, type Group, groupOf } from '../domain/agent.ts';
import { appendEntry } from '../records/log-entry.ts';
import { type Membership, mergeMemberships } from './match.ts';
import { type SourceRef, sourceOf } from './source.ts';

/** A live group and what is known of it. */
export interface LiveGroup {
  agent: string;
  group: string;
  spec: Group;
  ref: SourceRef;
  /** Of the manifest it was read from. */
  revision: number;
  known?: KnownSource;
}

export interface KnownSource {
  /** Told from another by `sourceKey`. */
  source: string;
  revision: number;
  fetchedAt: Date | null;
  freshUntil: Date | null;
  nextAt: Date | null;
  error: string | null;
}

/** Tells one source from every other, in the store. */
export const sourceKey = ({ kind, id }: SourceRef): string => `${kind} ${id}`;

/** Every live group of every agent: two queries. */
export async function liveGroups(db: Sql): Promise<LiveGroup[]> {
  const agents = await db
    .selectFrom('agent')
    .select(['name', 'manifest', 'revision'])
    .where(
      sql<boolean>`jsonb_path_exists(manifest, '$.approvers.* ? (exists(@.slackGroup) || exists(@.schedule))')`,
    )
    .orderBy('name')
    .execute();
  if (agents.length === 0) return [];
  const known = await db.selectFrom('group_source').selectAll().execute();
  return agents.flatMap(({ name, manifest, revision }) =>
    liveGroupsOf(manifest).map(({ group, spec, ref }) => {
      const row = known.find(({ agent, grp }) => agent === name && grp === group);
      return { agent: name, group, spec, ref, revision, ...(row && { known: knownFrom(row) }) };
    }),
  );
}

/** The live groups of one manifest. */
export function liveGroupsOf(agent: Agent): { group: string; spec: Group; ref: SourceRef }[] {
  return Object.keys(agent.approvers).flatMap((group) => {
    const spec = groupOf(agent, group);
    const ref = spec && sourceOf(spec);
    return spec && ref ? [{ group, spec, ref }] : [];
  });
}

/** Who is in a group, and when, as last read. */
export async function readMembers(db: Sql, agent: string, group: string): Promise<Membership[]> {
  const rows = await db
    .selectFrom('agent_approver')
    .select(['person', 'from_at', 'until_at'])
    .where('agent', '=', agent)
    .where('grp', '=', group)
    .execute();
  return mergeMemberships(
    rows.map(({ person, from_at, until_at }) => ({ person, from: from_at, until: until_at })),
  );
}

/** Puts these in the place of everyone in the group. */
export async function replaceMembers(
  tx: Sql,
  { agent, group, via }: { agent: string; group: string; via: string },
  members: readonly Membership[],
): Promise<void> {
  await tx.deleteFrom('agent_approver').where('agent', '=', agent).where('grp', '=', group).execute();
  const rows = members.map(({ person, from, until }) => ({
    agent,
    grp: group,
    person,
    from_at: from,
    until_at: until,
    via,
  }));
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    await tx
      .insertInto('agent_approver')
      .values(rows.slice(at, at + ROWS_AT_ONCE))
      .execute();
}

/** Far below the parameters one statement may have. */
const ROWS_AT_ONCE = 1_000;

/** Keeps what is known of a group's source. */
export async function saveSource(
  tx: Sql,
  { agent, group, ref }: Pick<LiveGroup, 'agent' | 'group' | 'ref'>,
  state: Omit<KnownSource, 'source'> & { unknown?: readonly string[] },
): Promise<void> {
  const row = {
    kind: ref.kind,
    source: sourceKey(ref),
    revision: state.revision,
    fetched_at: state.fetchedAt,
    fresh_until: state.freshUntil,
    next_at: state.nextAt,
    error: state.error,
    ...(state.unknown && { unknown: JSON.stringify(state.unknown) }),
  };
  await tx
    .insertInto('group_source')
    .values({ agent, grp: group, unknown: '[]', ...row })
    .onConflict((conflict) => conflict.columns(['agent', 'grp']).doUpdateSet(row))
    .execute();
}

/**
 * Takes away the people of live groups whose source is not the one they were read from: until the new source was read,
 * nobody is in the group. To be called wherever a manifest is put in force, in the same transaction.
 */
export async function forgetMovedGroups(tx: Sql, agent: Agent, at: Date): Promise<void> {
  const known = await tx.selectFrom('group_source').selectAll().where('agent', '=', agent.agent).execute();
  const moved = liveGroupsOf(agent).filter(({ group, ref }) =>
    known.some(({ grp, source }) => grp === group && source !== sourceKey(ref)),
  );
  for (const { group, ref } of moved) {
    const gone = await readMembers(tx, agent.agent, group);
    await replaceMembers(tx, { agent: agent.agent, group, via: ref.kind }, []);
    await tx.deleteFrom('group_source').where('agent', '=', agent.agent).where('grp', '=', group).execute();
    const removed = [...new Set(gone.map(({ person }) => person))];
    await logChange(tx, { agent: agent.agent, group, ref, at }, { added: [], removed });
  }
}

/** Logs who came into a group and who left it, if anybody did. */
export async function logChange(
  tx: Sql,
  { agent, group, ref, at }: Pick<LiveGroup, 'agent' | 'group' | 'ref'> & { at: Date },
  { added, removed }: { added: string[]; removed: string[] },
): Promise<void> {
  if (added.length === 0 && removed.length === 0) return;
  const data = { group, source: ref.kind, added, removed };
  await appendEntry(tx, { kind: 'group.changed', agent, ref: group, at, actor: 'groups', data });
}

const knownFrom = (row: {
  source: string;
  revision: number;
  fetched_at: Date | null;
  fresh_until: Date | null;
  next_at: Date | null;
  error: string | null;
}): KnownSource => ({
  source: row.source,
  revision: row.revision,
  fetchedAt: row.fetched_at,
  freshUntil: row.fresh_until,
  nextAt: row.next_at,
  error: row.error,
});
