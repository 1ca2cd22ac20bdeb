import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { isAfter } from '../domain/incident/life.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import { type IncidentRow, incidentById, lockedIncident, requireRevision, requireUnmerged } from './find.ts';

export interface CloseInput {
  id: string;
  revision: number;
  reason: string;
}

/**
 * Closes an incident that is guarded; one that no case reproduces is closed by another person than classified it, with the
 * reason. Its follow-ups go on, and so do their reminders; what is like it from then on is its recurrence.
 * @throws AppError `forbidden`, `conflict`, `wrong_state` while it is not classified
 */
export async function closeIncident(
  services: Services,
  actor: Actor,
  input: CloseInput,
): Promise<IncidentRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await incidentById(services.db.sql, actor, input.id);
  const { person } = await requireOwner(services, actor, seen, 'close an incident');
  requireReason(input.reason, 'close it');
  const at = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const row = await lockedIncident(tx, input.id);
    requireUnmerged(row, 'close');
    requireRevision(row, input.revision, 'close');
    requireClosable(row, person);
    await tx
      .updateTable('incident')
      .set({
        state: 'closed',
        closed_at: at,
        closed_by: person,
        close_reason: input.reason,
        remind_at: null,
        revision: row.revision + 1,
      })
      .where('id', '=', row.id)
      .execute();
    const data = { from: row.state, reason: input.reason, mechanism: row.mechanism ?? undefined };
    await appendEntry(tx, {
      kind: 'incident.closed',
      agent: row.agent,
      ref: row.id,
      at,
      actor: person,
      data,
    });
  });
  return incidentById(services.db.sql, actor, input.id);
}

function requireClosable(row: IncidentRow, person: string): void {
  const refuse = (code: 'wrong_state' | 'forbidden', why: string) =>
    new AppError(code, `Cannot close ${row.id}: ${why}`, { state: row.state });
  if (row.state === 'closed') throw refuse('wrong_state', 'it is closed');
  if (row.state === 'open')
    throw refuse('wrong_state', 'it is not classified; say first by which mechanism it happened');
  if (row.state !== 'guarded' && row.classified_by === person)
    throw refuse(
      'forbidden',
      `no case guards against it, and ${person} classified it: another owner closes it`,
    );
}

/** A case that was red on the release that did harm was admitted for it. Nothing happens where it is that far already. */
export const markReproduced = (
  tx: Sql,
  moved: { incident: string; case: string; at: Date; by: string },
): Promise<boolean> => moveOn(tx, 'reproduced', moved);

/** That case is green in what is in force. */
export const markGuarded = (
  tx: Sql,
  moved: { incident: string; case: string; at: Date; by: string },
): Promise<boolean> => moveOn(tx, 'guarded', moved);

/** Only onwards, and what is merged moves with what it is merged into. @throws AppError `wrong_state` while nobody classified it */
async function moveOn(
  tx: Sql,
  to: 'reproduced' | 'guarded',
  moved: { incident: string; case: string; at: Date; by: string },
): Promise<boolean> {
  const named = await lockedIncident(tx, moved.incident);
  const row = named.merged_into === null ? named : await lockedIncident(tx, named.merged_into);
  if (row.state === 'open')
    throw new AppError('wrong_state', `Cannot say that ${row.id} is ${to}: it is not classified`, {
      state: row.state,
    });
  if (!isAfter(to, row.state)) return false;
  await tx
    .updateTable('incident')
    .set({ state: to, revision: row.revision + 1 })
    .where('id', '=', row.id)
    .execute();
  await appendEntry(tx, {
    kind: `incident.${to}`,
    agent: row.agent,
    ref: row.id,
    at: moved.at,
    actor: moved.by,
    data: { case: moved.case },
  });
  return true;
}
