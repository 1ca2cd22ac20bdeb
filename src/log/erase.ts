import { type Actor, requireRole, type Services } from '../context.ts';
import { appendEntry } from './append.ts';

/**
 * Erases a subject: its key, the arguments, results and salts of its actions. The log still verifies: it only ever
 * held digests that nobody can now link. Returns how many actions were emptied.
 */
export async function eraseSubject(
  services: Services,
  actor: Actor,
  { agent, subject, reason }: { agent: string; subject: string; reason: string },
): Promise<{ actions: number }> {
  requireRole(actor, ['admin'], agent);
  return services.db.sql.transaction().execute(async (tx) => {
    const row = await tx
      .selectFrom('subject')
      .selectAll()
      .where('agent', '=', agent)
      .where('name', '=', subject)
      .forUpdate()
      .executeTakeFirst();
    if (!row) return { actions: 0 };
    const actions = await tx.selectFrom('action').select('id').where('subject_id', '=', row.id).execute();
    const ids = actions.map((action) => action.id);
    if (ids.length > 0) {
      await tx.deleteFrom('action_private').where('action_id', 'in', ids).execute();
      await tx
        .updateTable('action')
        .set({ summary: '[erased]', why: null, links: '[]', subject_id: null })
        .where('id', 'in', ids)
        .execute();
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
  });
}
