import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
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
  const hidden = await awaitingSecond(
    services.db.sql,
    labelled.filter(({ agent }) => owned.get(agent)),
  );
  return rows.map((row) => (hidden.has(row.id) ? { ...row, ...UNSEEN } : row));
}

/** Those of which the first label is to be kept from somebody: a second person is asked, and has not given theirs. */
export async function awaitingSecond(
  db: Sql,
  rows: readonly Pick<IncidentRow, 'id' | 'state' | 'classified_by'>[],
): Promise<Set<string>> {
  const asked = rows.filter(awaitsSecond).map(({ id }) => id);
  if (asked.length === 0) return new Set();
  const given = await db
    .selectFrom('incident_label')
    .select('incident_id')
    .where('incident_id', 'in', asked)
    .where('n', '=', 2)
    .execute();
  const twice = new Set(given.map(({ incident_id }) => incident_id));
  return new Set(asked.filter((id) => !twice.has(id)));
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
const awaitsSecond = ({
  id,
  state,
  classified_by,
}: Pick<IncidentRow, 'id' | 'state' | 'classified_by'>): boolean =>
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
