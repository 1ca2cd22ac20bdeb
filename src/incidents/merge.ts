import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import { type IncidentRow, incidentById, lockedIncident } from './find.ts';

/** Corrections that one rollback takes in, at most; more of them stay where they are. */
const TAKEN_IN_MAX = 100;

export interface MergeInput {
  /** What is merged: its address stays. */
  id: string;
  into: string;
  reason: string;
}

/**
 * Merges one incident into another, both open and of one agent. Depth is one: neither may be merged already, and what others
 * were merged into is not merged itself. Its actions stay its own and are counted with those of the other.
 * @throws AppError `forbidden`, `wrong_state`, `invalid_input`
 */
export async function mergeIncident(
  services: Services,
  actor: Actor,
  input: MergeInput,
): Promise<IncidentRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await incidentById(services.db.sql, actor, input.id);
  await incidentById(services.db.sql, actor, input.into);
  const { person } = await requireOwner(services, actor, seen, 'merge incidents');
  requireReason(input.reason, 'merge it');
  if (input.id === input.into) throw new AppError('invalid_input', `Cannot merge ${input.id} into itself`);
  const at = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    // In one order, whoever merges which into which.
    const [a, b] = [input.id, input.into].sort();
    const first = await lockedIncident(tx, a ?? '');
    const second = await lockedIncident(tx, b ?? '');
    const [row, into] = first.id === input.id ? [first, second] : [second, first];
    await requireMergeable(tx, row, into);
    await mergeOne(tx, row, into.id, { at, by: person, reason: input.reason });
  });
  return incidentById(services.db.sql, actor, input.id);
}

async function requireMergeable(tx: Sql, row: IncidentRow, into: IncidentRow): Promise<void> {
  const refuse = (why: string, details: Record<string, unknown> = {}) =>
    new AppError('wrong_state', `Cannot merge ${row.id} into ${into.id}: ${why}`, details);
  if (row.agent !== into.agent) throw refuse(`they are of "${row.agent}" and of "${into.agent}"`);
  if (row.merged_into !== null)
    throw refuse(`it is merged into ${row.merged_into}; unmerge it first`, { mergedInto: row.merged_into });
  if (into.merged_into !== null)
    throw refuse(`${into.id} is merged into ${into.merged_into}; merge into that one`, {
      mergedInto: into.merged_into,
    });
  if (row.state === 'closed' || into.state === 'closed') throw refuse('only open ones merge');
  const child = await childOf(tx, row.id);
  if (child)
    throw refuse(`${child.id} is merged into ${row.id}; merge ${into.id} into ${row.id}, or unmerge it`);
}

/** One that is merged into it. */
const childOf = (tx: Sql, id: string): Promise<{ id: string } | undefined> =>
  tx.selectFrom('incident').select('id').where('merged_into', '=', id).limit(1).executeTakeFirst();

async function mergeOne(
  tx: Sql,
  row: Pick<IncidentRow, 'id' | 'agent'>,
  into: string,
  { at, by, reason }: { at: Date; by: string; reason: string },
): Promise<void> {
  await tx
    .updateTable('incident')
    .set((set) => ({
      merged_into: into,
      merged_at: at,
      merged_by: by,
      remind_at: null,
      revision: set('revision', '+', 1),
    }))
    .where('id', '=', row.id)
    .execute();
  const entry = { agent: row.agent, at, actor: by };
  await appendEntry(tx, { ...entry, kind: 'incident.merged', ref: row.id, data: { into, reason } });
  await appendEntry(tx, {
    ...entry,
    kind: 'incident.took_in',
    ref: into,
    data: { incident: row.id, reason },
  });
}

/** Takes a merge back: the incident stands for itself again, with everything it had. @throws AppError `wrong_state` */
export async function unmergeIncident(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason: string },
): Promise<IncidentRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const seen = await incidentById(services.db.sql, actor, id);
  const { person } = await requireOwner(services, actor, seen, 'unmerge incidents');
  requireReason(reason, 'unmerge it');
  const at = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const row = await lockedIncident(tx, id);
    if (row.merged_into === null)
      throw new AppError('wrong_state', `Cannot unmerge ${id}: it is not merged`, { state: row.state });
    await tx
      .updateTable('incident')
      .set({
        merged_into: null,
        merged_at: null,
        merged_by: null,
        remind_at: row.classify_by,
        revision: row.revision + 1,
      })
      .where('id', '=', id)
      .execute();
    const entry = { agent: row.agent, at, actor: person };
    const data = { from: row.merged_into, reason };
    await appendEntry(tx, { ...entry, kind: 'incident.unmerged', ref: id, data });
    await appendEntry(tx, {
      ...entry,
      kind: 'incident.let_go',
      ref: row.merged_into,
      data: { incident: id, reason },
    });
  });
  return incidentById(services.db.sql, actor, id);
}

/** An incident that turns out to be like an open one is merged into it, unless others were merged into it already. */
export async function mergeLike(
  tx: Sql,
  row: Pick<IncidentRow, 'id' | 'agent' | 'fingerprint'>,
  at: Date,
): Promise<void> {
  const older = await tx
    .selectFrom('incident')
    .select('id')
    .where('fingerprint', '=', row.fingerprint)
    .where('id', '<>', row.id)
    .where('state', '<>', 'closed')
    .where('merged_into', 'is', null)
    .orderBy('opened_at')
    .orderBy('id')
    .limit(1)
    // One that somebody is merging, closing or classifying is left alone: a merge is one deep, and waits for nobody.
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  if (!older) return;
  const child = await childOf(tx, row.id);
  if (!child) await mergeOne(tx, row, older.id, { at, by: 'records', reason: 'the same fingerprint' });
}

/** What was corrected before its segment was taken back is one thing with that: the rollback's incident takes it in. */
export async function mergeSameRollback(
  tx: Sql,
  {
    incident,
    agent,
    rollout,
    segment,
    at,
  }: { incident: string; agent: string; rollout: string; segment: string; at: Date },
): Promise<void> {
  const rows = await tx
    .selectFrom('incident')
    .select(['id', 'agent', 'evidence'])
    .where('rollout_id', '=', rollout)
    .where('segment', '=', segment)
    .where('agent', '=', agent)
    .where('because', 'in', ['correction', 'unknown_harm'])
    .where('state', '<>', 'closed')
    .where('merged_into', 'is', null)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('incident as child')
            .select('child.id')
            .whereRef('child.merged_into', '=', 'incident.id'),
        ),
      ),
    )
    .orderBy('opened_at', 'desc')
    .limit(TAKEN_IN_MAX)
    .forUpdate()
    .execute();
  for (const row of rows.filter(({ evidence }) => evidence.arm === 'candidate'))
    await mergeOne(tx, row, incident, { at, by: 'records', reason: 'its segment was taken back' });
}
