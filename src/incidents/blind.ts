import type { Actor } from '../actor.ts';
import { isClassifiedTwice } from '../domain/incident/fingerprint.ts';
import { AppError } from '../errors.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import type { IncidentRow } from './find.ts';

type BlindServices = Pick<Services, 'db' | 'clock'>;

/**
 * The incidents as this actor may see them: whoever may still give the second label of one does not see the first, nor what
 * follows from it, until they gave theirs. A label that somebody has read agrees with itself.
 */
export async function asSeenBy(
  services: BlindServices,
  actor: Actor,
  rows: readonly IncidentRow[],
): Promise<IncidentRow[]> {
  const labelled = rows.filter((row) => awaitsSecond(row) && row.classified_by !== actor.person);
  const owned = new Map<string, boolean>();
  for (const agent of new Set(labelled.map((row) => row.agent)))
    owned.set(agent, await mayBeAsked(services, actor, { agent }));
  const asked = labelled.filter(({ agent }) => owned.get(agent));
  if (asked.length === 0) return [...rows];
  const given = await services.db.sql
    .selectFrom('incident_label')
    .select('incident_id')
    .where(
      'incident_id',
      'in',
      asked.map(({ id }) => id),
    )
    .where('n', '=', 2)
    .execute();
  const twice = new Set(given.map(({ incident_id }) => incident_id));
  const hidden = new Set(asked.filter(({ id }) => !twice.has(id)).map(({ id }) => id));
  return rows.map((row) => (hidden.has(row.id) ? { ...row, ...UNSEEN } : row));
}

/** What the first label said, or was found by it. */
const UNSEEN = {
  mechanism: null,
  certainty: null,
  origin: null,
  result: null,
  contributing: [],
  fingerprint: null,
  recurrence_of: null,
} as const satisfies Partial<IncidentRow>;

/** Classified by a person, open to a second one; what is merged may be unmerged and labelled then. */
const awaitsSecond = ({ id, state, classified_by }: IncidentRow): boolean =>
  isClassifiedTwice(id) && state !== 'closed' && classified_by !== null && classified_by !== 'records';

/** Whether they may say what concerns the incidents of an agent: an owner, or a deputy of one. */
export async function ownsIncidents(
  services: BlindServices,
  actor: Actor,
  incident: Pick<IncidentRow, 'agent'>,
): Promise<boolean> {
  if (!actor.roles.some((role) => role === 'approver' || role === 'release-manager')) return false;
  return mayBeAsked(services, actor, incident);
}

/** An owner, or a deputy of one, whatever the role of the token they look with: they may hold another. */
async function mayBeAsked(
  services: BlindServices,
  actor: Actor,
  incident: Pick<IncidentRow, 'agent'>,
): Promise<boolean> {
  try {
    await requireOwner(services, actor, incident, 'classify an incident');
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return false;
    throw error;
  }
}
