import { type Actor, requireRole } from '../actor.ts';
import { newId } from '../db/uuid.ts';
import { normalSubject } from '../domain/subject.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import {
  ACTIONS_A_BATCH,
  type Erasure,
  type ErasureServices,
  emptyActions,
  emptyReads,
  nextOf,
  READS_A_BATCH,
} from './empty.ts';

/** How long whoever asks for it waits; what is left is done by the service. */
const ANSWER_AFTER_MS = 5_000;
/** Whoever erases is at it again within this; what was left for longer was left by somebody who died. */
const LEFT_AFTER_MS = 10_000;
const LOWEST_ID = '00000000-0000-0000-0000-000000000000';

/**
 * Erases a subject: its key, the arguments, results and salts of what was asked about it, what cards said of that and what
 * people were shown when they decided. Standing approvals given with it end, what waits is withdrawn. The log and the
 * receipts still verify: they only ever held digests that nobody can now link. Kept before it begins and done in batches:
 * what `withinMs` does not suffice for, and what was left by somebody who died, is done by the service (`resumeErasures`).
 * @throws AppError `forbidden`, `invalid_input`, `not_found` where there is no such subject
 */
export async function eraseSubject(
  services: ErasureServices,
  actor: Actor,
  input: { agent: string; subject: string; reason: string },
  { withinMs = ANSWER_AFTER_MS }: { withinMs?: number } = {},
): Promise<Erasure> {
  requireRole(actor, ['admin'], input.agent);
  requireReason(input.reason, 'erase');
  const untilMs = performance.now() + withinMs;
  const id = await beginErasure(services, actor, input);
  try {
    await carryOut(services, await rowById(services, id), untilMs);
  } catch (error) {
    // It is kept, and goes on.
    services.log.warn({ err: error, erasure: id }, 'erasing was interrupted, will be continued');
  }
  return rowById(services, id);
}

/** How far it is. @throws AppError `not_found`, `forbidden` */
export async function erasureById(
  services: ErasureServices,
  actor: Actor,
  { agent, id }: { agent: string; id: string },
): Promise<Erasure> {
  requireRole(actor, ['admin'], agent);
  const row = await services.db.sql
    .selectFrom('erasure')
    .selectAll()
    .where('id', '=', id)
    .where('agent', '=', agent)
    .executeTakeFirst();
  if (!row) throw new AppError('not_found', `There is no erasure ${id} of agent ${agent}`);
  return row;
}

/** Goes on with what nobody is at any more. One that fails does not keep the others waiting. */
export async function resumeErasures(services: ErasureServices): Promise<void> {
  const { db, clock, log } = services;
  const left = await db.sql
    .selectFrom('erasure')
    .selectAll()
    .where('done_at', 'is', null)
    .where('worked_at', '<', new Date(clock.now().getTime() - LEFT_AFTER_MS))
    .orderBy('worked_at')
    .execute();
  for (const erasure of left) {
    try {
      await carryOut(services, erasure, Number.POSITIVE_INFINITY);
    } catch (error) {
      log.error({ err: error, erasure: erasure.id }, 'erasing a subject failed, will be continued');
    }
  }
}

/**
 * Takes the subject away, with the gate held for a moment: whoever asks looks for it under the gate, so that nothing that
 * is asked from then on is of it.
 */
async function beginErasure(
  services: ErasureServices,
  actor: Actor,
  { agent, subject, reason }: { agent: string; subject: string; reason: string },
): Promise<string> {
  const { db, clock } = services;
  const name = normalSubject(subject);
  const open = await db.sql
    .selectFrom('subject')
    .select('id')
    .where('agent', '=', agent)
    .where('name', '=', name)
    .executeTakeFirst();
  const id = newId(clock.now());
  let begun = false;
  if (open)
    await closeGateFor(
      services,
      async (tx) => {
        const gone = await tx
          .deleteFrom('subject')
          .where('id', '=', open.id)
          .returning('id')
          .executeTakeFirst();
        begun = gone !== undefined;
        const now = clock.now();
        const row = {
          id,
          agent,
          subject_id: open.id,
          name,
          reason,
          actor: actor.id,
          at: now,
          worked_at: now,
        };
        if (begun) await tx.insertInto('erasure').values(row).execute();
        // Nothing that is in force has changed.
        return false;
      },
      { as: 'erase' },
    );
  return begun ? id : openErasure(services, agent, name);
}

/** The one that is going on. */
async function openErasure({ db }: ErasureServices, agent: string, name: string): Promise<string> {
  const row = await db.sql
    .selectFrom('erasure')
    .select('id')
    .where('done_at', 'is', null)
    .where('agent', '=', agent)
    .where('name', '=', name)
    .orderBy('id', 'desc')
    .executeTakeFirst();
  if (row) return row.id;
  throw new AppError('not_found', `Nothing is kept of such a subject of agent ${agent}`, {
    hint: 'It was erased already, nothing was ever asked about it, or it is written differently',
  });
}

const rowById = ({ db }: ErasureServices, id: string): Promise<Erasure> =>
  db.sql.selectFrom('erasure').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

/** Resolves to whether it is done. Two may do it at once: what one has emptied the other finds empty. */
async function carryOut(services: ErasureServices, erasure: Erasure, untilMs: number): Promise<boolean> {
  const { db, wake } = services;
  for (const [table, most, empty] of [
    ['action', ACTIONS_A_BATCH, emptyActions],
    ['read_record', READS_A_BATCH, emptyReads],
  ] as const) {
    for (let after = LOWEST_ID; ; ) {
      if (performance.now() >= untilMs) return false;
      const ids = await nextOf(db.sql, erasure, table, after, most);
      const last = ids.at(-1);
      if (last === undefined) break;
      await empty(services, erasure, ids);
      wake();
      after = last;
    }
  }
  await finish(services, erasure);
  return true;
}

/** Once, whoever comes first. */
async function finish({ db, clock }: ErasureServices, { id, agent, reason, actor }: Erasure): Promise<void> {
  const at = clock.now();
  await db.sql.transaction().execute(async (tx) => {
    const done = await tx
      .updateTable('erasure')
      .set({ name: null, done_at: at })
      .where('id', '=', id)
      .where('done_at', 'is', null)
      .returning(['actions', 'reads'])
      .executeTakeFirst();
    if (done) await appendEntry(tx, { kind: 'subject.erased', agent, at, actor, data: { ...done, reason } });
  });
}
