import { type Actor, requireRole } from '../actor.ts';
import { endStandingApproval } from '../approvals/standing/end.ts';
import type { StandingApprovalRow } from '../approvals/standing/store.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { normalSubject } from '../domain/subject.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import { moveAction } from '../records/move.ts';
import type { Services } from '../services.ts';

const ERASED = '[erased]';

/**
 * Erases a subject: its key, the arguments, results and salts of its actions, what cards said of them and what people
 * were shown when they decided. Standing approvals given with them end. The log and the receipts still verify: they
 * only ever held digests that nobody can now link. Returns how many actions were emptied.
 */
export async function eraseSubject(
  services: Services,
  actor: Actor,
  input: { agent: string; subject: string; reason: string },
): Promise<{ actions: number }> {
  requireRole(actor, ['admin'], input.agent);
  requireReason(input.reason, 'erase');
  return withoutDeadlock(() =>
    services.db.sql.transaction().execute((tx) => eraseIn(services, tx, actor, input)),
  );
}

async function eraseIn(
  services: Services,
  tx: Sql,
  actor: Actor,
  { agent, subject, reason }: { agent: string; subject: string; reason: string },
): Promise<{ actions: number }> {
  const found = tx
    .selectFrom('subject')
    .select('id')
    .where('agent', '=', agent)
    .where('name', '=', normalSubject(subject));
  const known = await found.executeTakeFirst();
  if (!known) return { actions: 0 };
  // In the order of a stop and of whoever changes an action: its subject last, which nobody asks about from then on.
  await lockActionsOf(tx, known.id);
  const row = await found.forUpdate().executeTakeFirst();
  if (!row) return { actions: 0 };
  // Again, for what was asked meanwhile.
  const { ids, given } = await lockActionsOf(tx, row.id);
  if (ids.length > 0) {
    for (const one of given)
      await endStandingApproval(tx, one, 'revoked', services.clock.now(), actor.id, 'erased');
    await withdrawWaiting(tx, ids, services.clock.now(), actor.id);
    await tx.deleteFrom('action_private').where('action_id', 'in', ids).execute();
    await tx
      .updateTable('action')
      .set({
        summary: ERASED,
        why: null,
        withdraw_reason: null,
        links: '[]',
        subject_id: null,
        request_digest: '',
        same_digest: '',
        standing_wish: null,
      })
      .where('id', 'in', ids)
      .execute();
    // Their envelopes hold values of the arguments, and without them nobody can tell what is the like of it.
    await tx
      .updateTable('standing_approval')
      .set({ envelope: ERASED })
      .where('action_id', 'in', ids)
      .execute();
    await eraseShown(tx, ids);
    await eraseSummaries(tx, agent, new Set(ids));
    await tx
      .insertInto('outbox')
      .values(ids.map((id) => ({ topic: 'action' as const, key: id, payload: '{}' })))
      .execute();
  }
  await tx.deleteFrom('subject').where('id', '=', row.id).execute();
  await appendEntry(tx, {
    kind: 'subject.erased',
    agent,
    at: services.clock.now(),
    actor: actor.id,
    data: { actions: ids.length, reason },
  });
  return { actions: ids.length };
}

/** Without its arguments an action can be neither judged nor executed. */
async function withdrawWaiting(tx: Sql, ids: readonly string[], now: Date, actor: string): Promise<void> {
  const waiting = await tx
    .selectFrom('action')
    .select(['id', 'state', 'revision'])
    .where('id', 'in', ids)
    .where('kind', '=', 'write')
    .where('state', 'in', ['pending', 'approved'])
    .orderBy('id')
    .execute();
  for (const action of waiting) {
    await moveAction(tx, action, 'withdrawn', 'action.withdrawn', now, actor, { because: 'erased' });
  }
}

/** What people saw of them. Whoever shows a card keeps what it says only while the arguments are there. */
async function eraseShown(tx: Sql, ids: readonly string[]): Promise<void> {
  await tx.updateTable('card_text').set({ text: null }).where('action_id', 'in', ids).execute();
  await tx.updateTable('receipt').set({ shown: null, salt: null }).where('action_id', 'in', ids).execute();
  await tx.updateTable('action_edit').set({ args_before: null }).where('action_id', 'in', ids).execute();
}

/** Locks the actions of a subject, and before them the standing approvals given with them. */
async function lockActionsOf(
  tx: Sql,
  subject: number,
): Promise<{ ids: string[]; given: StandingApprovalRow[] }> {
  const actions = await tx.selectFrom('action').select('id').where('subject_id', '=', subject).execute();
  const ids = actions.map(({ id }) => id);
  if (ids.length === 0) return { ids, given: [] };
  const given = await tx
    .selectFrom('standing_approval')
    .selectAll()
    .where('action_id', 'in', ids)
    .orderBy('id')
    .forUpdate()
    .execute();
  await tx.selectFrom('action').select('id').where('id', 'in', ids).orderBy('id').forUpdate().execute();
  return { ids, given };
}

/** Alerts and incidents say what an action would have done. */
async function eraseSummaries(tx: Sql, agent: string, ids: ReadonlySet<string>): Promise<void> {
  const alerts = await tx
    .selectFrom('alert')
    .select(['id', 'facts'])
    .where((where) => where.or([where('agent', '=', agent), where('agent', 'is', null)]))
    .execute();
  for (const { id, facts } of alerts) {
    const [before, after] = [JSON.stringify(facts), JSON.stringify(withoutSummaries(facts, ids))];
    if (after !== before) await tx.updateTable('alert').set({ facts: after }).where('id', '=', id).execute();
  }
  const incidents = await tx
    .selectFrom('incident')
    .select(['id', 'evidence'])
    .where('agent', '=', agent)
    .execute();
  for (const { id, evidence } of incidents) {
    const [before, after] = [JSON.stringify(evidence), JSON.stringify(withoutSummaries(evidence, ids))];
    if (after !== before)
      await tx.updateTable('incident').set({ evidence: after }).where('id', '=', id).execute();
  }
}

function withoutSummaries(value: unknown, ids: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSummaries(item, ids));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, withoutSummaries(member, ids)]);
  const told = 'action' in value && typeof value.action === 'string' && ids.has(value.action);
  return Object.fromEntries(told ? [...entries, ['summary', ERASED]] : entries);
}
