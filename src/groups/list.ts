import type { Selectable } from 'kysely';
import { type Actor, type Role, requireRole } from '../actor.ts';
import type { GroupSourceTable } from '../db/tables-approvals.ts';
import { type Group, groupOf } from '../domain/agent.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import { isMemberAt, type Membership } from './match.ts';
import { type SourceKind, sourceOf } from './source.ts';
import { readMembers } from './store.ts';

/** One approver group: who is in it now, and how well that is known. */
export interface GroupView {
  group: string;
  source: 'manifest' | SourceKind;
  /** What the source is asked for; of a calendar its host or file only, for its address may hold a secret. */
  id?: string;
  members: { person: string; until?: Date }[];
  /** Nobody of it counts: its members could not be read for too long. */
  stale: boolean;
  fetchedAt?: Date;
  freshUntil?: Date;
  /** Why the last reading failed. */
  error?: string;
  /** Whom the source names and who does not count. */
  unknown: string[];
}

const READERS: readonly Role[] = ['agent', 'approver', 'release-manager', 'on-call', 'auditor'];

/** Every approver group of an agent by name, as it is now. @throws AppError `forbidden`, `unknown_agent` */
export async function listGroups(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  agent: string,
): Promise<GroupView[]> {
  requireRole(actor, READERS, agent);
  const now = clock.now();
  const manifest = await manifestOf(db.sql, agent);
  const sources = await db.sql.selectFrom('group_source').selectAll().where('agent', '=', agent).execute();
  const views = Object.keys(manifest.approvers)
    .sort()
    .map(async (group) => {
      const members = await readMembers(db.sql, agent, group);
      const known = sources.find(({ grp }) => grp === group);
      return viewOf(group, groupOf(manifest, group), members, known, now);
    });
  return Promise.all(views);
}

function viewOf(
  group: string,
  spec: Group | undefined,
  members: readonly Membership[],
  known: Selectable<GroupSourceTable> | undefined,
  now: Date,
): GroupView {
  const live = spec !== undefined && sourceOf(spec) !== undefined;
  const present = members.filter((member) => isMemberAt(member, now));
  return {
    group,
    ...(spec ? sourceShown(spec) : { source: 'manifest' }),
    members: present.map(({ person, until }) => ({ person, ...(until && { until }) })),
    stale: live && !(known?.fresh_until && known.fresh_until > now),
    ...(known?.fetched_at && { fetchedAt: known.fetched_at }),
    ...(known?.fresh_until && { freshUntil: known.fresh_until }),
    ...(known?.error && { error: known.error }),
    unknown: known?.unknown ?? [],
  };
}

function sourceShown(spec: Group): Pick<GroupView, 'source' | 'id'> {
  const ref = sourceOf(spec);
  if (!ref) return { source: 'manifest' };
  const secret = ref.kind === 'ical' && URL.canParse(ref.id);
  return { source: ref.kind, id: secret ? new URL(ref.id).host : ref.id };
}
