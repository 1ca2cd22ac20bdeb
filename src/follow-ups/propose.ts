import { randomBytes } from 'node:crypto';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { Severity } from '../db/tables-learning.ts';
import { type Done, doneText, parseDone } from '../domain/follow-up/done.ts';
import { nextReminder } from '../domain/follow-up/ladder.ts';
import { isInstant } from '../domain/instant.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import { type FollowUpRow, followUpById, lockedFollowUp } from './find.ts';

export const newFollowUpId = (): string => `fu-${randomBytes(5).toString('hex')}`;

export interface Proposed {
  agent: string;
  sentence: string;
  /** As people write it, or read already. Default: a link and a second person. */
  done?: string | Done | undefined;
  incident?: string | undefined;
  review?: string | undefined;
  severity?: Severity | undefined;
}

export interface Committed {
  owner: string;
  dueAt: Date;
  severity?: Severity | undefined;
}

/** Writes down an idea, in the transaction of what it comes from; nobody is reminded of it and it blocks nothing. */
export async function addFollowUp(
  tx: Sql,
  { agent, sentence, done, incident, review, severity = 'normal' }: Proposed,
  { at, by }: { at: Date; by: string },
): Promise<string> {
  const id = newFollowUpId();
  const predicate = typeof done === 'object' ? done : parseDone(done ?? sentence);
  await tx
    .insertInto('follow_up')
    .values({
      id,
      agent,
      sentence,
      severity,
      incident_id: incident ?? null,
      review_id: review ?? null,
      done: JSON.stringify(predicate),
      state: 'proposed',
      proposed_at: at,
      proposed_by: by,
    })
    .execute();
  await appendEntry(tx, {
    kind: 'follow_up.proposed',
    agent,
    ref: id,
    at,
    actor: by,
    data: { sentence, incident, review, severity, done: doneText(predicate) },
  });
  return id;
}

/** @throws AppError `forbidden`, `unknown_agent`, `invalid_input` for an incident of another agent */
export async function proposeFollowUp(
  services: Services,
  actor: Actor,
  input: Proposed,
): Promise<FollowUpRow> {
  requireRole(actor, ['approver', 'release-manager', 'on-call'], input.agent);
  await manifestOf(services.db.sql, input.agent);
  if (input.incident !== undefined) await requireSameAgent(services.db.sql, input.incident, input.agent);
  const said = { at: services.clock.now(), by: actor.id };
  const id = await services.db.sql.transaction().execute((tx) => addFollowUp(tx, input, said));
  return followUpById(services.db.sql, actor, id);
}

async function requireSameAgent(db: Sql, incident: string, agent: string): Promise<void> {
  const row = await db.selectFrom('incident').select('agent').where('id', '=', incident).executeTakeFirst();
  if (row?.agent !== agent)
    throw new AppError('invalid_input', `There is no incident "${incident}" of agent "${agent}"`);
}

/**
 * An owner of the agent makes it a promise: one person, one day. From then on that person is reminded, whatever becomes of
 * the incident. Committed to anew it may pass to another person, be due sooner or become high, never less.
 * @throws AppError `forbidden`, `wrong_state`, `invalid_input` for nobody of the agent and for a day that is past
 */
export async function commitFollowUp(
  services: Services,
  actor: Actor,
  { id, ...input }: Committed & { id: string },
): Promise<FollowUpRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await followUpById(services.db.sql, actor, id);
  const { person } = await requireOwner(services, actor, seen, 'commit to a follow-up');
  const said = { at: services.clock.now(), by: person, dayMs: services.dayMs };
  await services.db.sql.transaction().execute((tx) => commitIn(tx, id, input, said));
  return followUpById(services.db.sql, actor, id);
}

/** What somebody committed to is not quietly made less: another owner, an earlier day, a higher severity. */
function requireNoLess(
  { id, due_at, severity }: FollowUpRow,
  dueAt: Date,
  wanted: Severity | undefined,
): void {
  const instead = `waive it for a time, with a reason: portcullis follow-ups waive ${id}`;
  if (due_at !== null && dueAt > due_at)
    throw new AppError(
      'wrong_state',
      `Cannot move ${id} to a later day than ${due_at.toISOString()}, which was committed to: ${instead}`,
    );
  if (severity === 'high' && wanted !== undefined && wanted !== 'high')
    throw new AppError(
      'wrong_state',
      `Cannot make ${id} ${wanted}: it was committed to as high. You may ${instead}`,
    );
}

/** The same in the transaction of what it comes from. */
export async function commitIn(
  tx: Sql,
  id: string,
  { owner, dueAt, severity }: Committed,
  { at, by, dayMs }: { at: Date; by: string; dayMs: number },
): Promise<void> {
  const row = await lockedFollowUp(tx, id);
  if (row.state !== 'proposed' && row.state !== 'committed')
    throw new AppError('wrong_state', `Cannot commit to ${id}: it is ${row.state}`, { state: row.state });
  if (row.state === 'committed') requireNoLess(row, dueAt, severity);
  const { people } = await manifestOf(tx, row.agent);
  if (!Object.hasOwn(people, owner))
    throw new AppError('invalid_input', `"${owner}" is not one of the people of "${row.agent}"`);
  if (!isInstant(dueAt) || dueAt <= at)
    throw new AppError(
      'invalid_input',
      `Cannot be due ${isInstant(dueAt) ? dueAt.toISOString() : 'then'}: that is past`,
    );
  await tx
    .updateTable('follow_up')
    .set({
      state: 'committed',
      owner,
      due_at: dueAt,
      severity: severity ?? row.severity,
      committed_at: at,
      committed_by: by,
      remind_at: nextReminder(dueAt, at, dayMs),
      check_at: row.done.kind === 'link' ? null : at,
      revision: row.revision + 1,
    })
    .where('id', '=', id)
    .execute();
  await appendEntry(tx, {
    kind: 'follow_up.committed',
    agent: row.agent,
    ref: id,
    at,
    actor: by,
    data: { owner, dueAt: dueAt.toISOString(), severity: severity ?? row.severity },
  });
}
