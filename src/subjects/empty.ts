import { type Selectable, sql } from 'kysely';
import { endStandingApproval } from '../approvals/standing/end.ts';
import type { StandingApprovalRow } from '../approvals/standing/store.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import type { ErasureTable } from '../db/tables-retention.ts';
import { moveAction } from '../records/move.ts';
import type { Services } from '../services.ts';
import { ERASED, eraseMentions } from './mentions.ts';

export type Erasure = Selectable<ErasureTable>;
export type ErasureServices = Pick<Services, 'db' | 'clock' | 'log' | 'wake'>;

export const ACTIONS_A_BATCH = 500;
export const READS_A_BATCH = 2_000;

/** The next ones of a subject, in the order of their ids. */
export async function nextOf(
  db: Sql,
  { subject_id }: Erasure,
  table: 'action' | 'read_record',
  after: string,
  most: number,
): Promise<string[]> {
  return inOneTransaction(db, async (tx) => {
    const rows = await tx
      .selectFrom(table)
      .select('id')
      .where('subject_id', '=', subject_id)
      .where('id', '>', after)
      .orderBy('id')
      .limit(most)
      .execute();
    return rows.map(({ id }) => id);
  });
}

/**
 * Empties actions, in two transactions: what a stop reads of them meanwhile it tells after the first, and the second
 * finds it. They are of the subject until then, so that both are done again where somebody died in between.
 */
export async function emptyActions(
  { db: { sql: db }, clock }: ErasureServices,
  erasure: Erasure,
  ids: readonly string[],
): Promise<void> {
  await inOneTransaction(db, (tx) => emptyRows(tx, erasure, ids, clock.now()));
  // A stop that began before is committed, and what it tells is there.
  await sql`SELECT pg_advisory_xact_lock_shared(gate_key())`.execute(db);
  await inOneTransaction(db, async (tx) => {
    await eraseMentions(tx, ids);
    const emptied = await tx
      .updateTable('action')
      .set({ subject_id: null })
      .where(among('id', ids))
      .where('subject_id', '=', erasure.subject_id)
      .returning('id')
      .execute();
    if (emptied.length === 0) return;
    const due = emptied.map(({ id }) => ({ topic: 'action' as const, key: id, payload: '{}' }));
    await tx.insertInto('outbox').values(due).execute();
    await count(tx, erasure, { actions: emptied.length, reads: 0 }, clock.now());
  });
}

/** Empties reads: nobody waits for one, and no stop tells of one. */
export async function emptyReads(
  { db: { sql: db }, clock }: ErasureServices,
  erasure: Erasure,
  ids: readonly string[],
): Promise<void> {
  await inOneTransaction(db, async (tx) => {
    const emptied = await tx
      .updateTable('read_record')
      .set({
        summary: ERASED,
        why: null,
        links: '[]',
        subject_id: null,
        request_digest: '',
        args: null,
        context: null,
        attributes: null,
        salt: null,
      })
      .where(among('id', ids))
      .where('subject_id', '=', erasure.subject_id)
      .returning(['id', 'idempotency_key'])
      .execute();
    await eraseKeys(tx, erasure, emptied);
    await eraseMentions(tx, ids);
    await count(tx, erasure, { actions: 0, reads: emptied.length }, clock.now());
  });
}

/** By their indexes, whatever the statistics say. */
const inOneTransaction = <T>(db: Sql, work: (tx: Sql) => Promise<T>): Promise<T> =>
  withoutDeadlock(() =>
    db.transaction().execute(async (tx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(tx);
      return work(tx);
    }),
  );

const among = (column: string, ids: readonly string[]) =>
  sql<boolean>`${sql.ref(column)} = ANY (${[...ids]}::uuid[])`;

async function emptyRows(tx: Sql, erasure: Erasure, ids: readonly string[], now: Date): Promise<void> {
  const { actor } = erasure;
  const actions = await lockActions(tx, ids);
  const given = await standingApprovalsOf(tx, ids);
  for (const one of given) await endStandingApproval(tx, one, 'revoked', now, actor, 'erased');
  // Their envelopes hold values of the arguments, and without them nobody can tell what is the like of it.
  await tx
    .updateTable('standing_approval')
    .set({ envelope: ERASED })
    .where(among('action_id', ids))
    .execute();
  // Without its arguments an action can be neither judged nor executed.
  for (const action of actions)
    if (action.kind === 'write' && (action.state === 'pending' || action.state === 'approved'))
      await moveAction(tx, action, 'withdrawn', 'action.withdrawn', now, actor, { because: 'erased' });
  await tx
    .updateTable('action')
    .set({
      summary: ERASED,
      why: null,
      withdraw_reason: null,
      links: '[]',
      request_digest: '',
      same_digest: '',
      standing_wish: null,
    })
    .where(among('id', ids))
    .execute();
  await tx.deleteFrom('action_private').where(among('action_id', ids)).execute();
  await eraseKeys(tx, erasure, actions);
  await eraseShown(tx, ids);
}

/** Locks actions, and before them the standing approvals given with them: the order of whoever rolls back or asks by one. */
async function lockActions(tx: Sql, ids: readonly string[]) {
  await standingApprovalsOf(tx, ids);
  return tx
    .selectFrom('action')
    .select(['id', 'state', 'revision', 'kind', 'idempotency_key'])
    .where(among('id', ids))
    .orderBy('id')
    .forUpdate()
    .execute();
}

const standingApprovalsOf = (tx: Sql, ids: readonly string[]): Promise<StandingApprovalRow[]> =>
  tx
    .selectFrom('standing_approval')
    .selectAll()
    .where(among('action_id', ids))
    // In the order of ids, and not by the index that has it: that one has all of them.
    .orderBy(sql`id::text`)
    .forUpdate()
    .execute();

/** The digest of a question is of its arguments, without a salt. */
async function eraseKeys(
  tx: Sql,
  { agent }: Erasure,
  rows: readonly { idempotency_key: string }[],
): Promise<void> {
  const keys = rows.map(({ idempotency_key }) => idempotency_key);
  await tx
    .updateTable('asked_key')
    .set({ request_digest: '' })
    .where('agent', '=', agent)
    .where(sql<boolean>`key = ANY (${keys}::text[])`)
    .execute();
}

/** What people saw of them. Whoever shows a card keeps what it says only while the arguments are there. */
async function eraseShown(tx: Sql, ids: readonly string[]): Promise<void> {
  await tx.updateTable('card_text').set({ text: null }).where(among('action_id', ids)).execute();
  await tx.updateTable('receipt').set({ shown: null, salt: null }).where(among('action_id', ids)).execute();
  await tx.updateTable('action_edit').set({ args_before: null }).where(among('action_id', ids)).execute();
}

async function count(
  tx: Sql,
  { id }: Erasure,
  { actions, reads }: { actions: number; reads: number },
  now: Date,
): Promise<void> {
  await tx
    .updateTable('erasure')
    .set((set) => ({
      actions: set('actions', '+', actions),
      reads: set('reads', '+', reads),
      worked_at: now,
    }))
    .where('id', '=', id)
    .execute();
}
