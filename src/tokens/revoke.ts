import { type Actor, requireRole } from '../actor.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

/**
 * Ends a token at once, and with it every web session made from it. Repeating it changes nothing.
 * @throws AppError `forbidden`, `not_found`
 */
export async function revokeToken(
  services: Services,
  actor: Actor,
  id: string,
): Promise<{ id: string; revokedAt: Date }> {
  requireRole(actor, ['admin']);
  const now = services.clock.now();
  return services.db.sql.transaction().execute(async (tx) => {
    const row = await tx.selectFrom('token').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
    if (!row || (actor.agent !== undefined && row.agent !== actor.agent)) {
      throw new AppError('not_found', `There is no token "${id}"`);
    }
    if (row.revoked_at) return { id, revokedAt: row.revoked_at };
    await tx.updateTable('token').set({ revoked_at: now }).where('id', '=', id).execute();
    const data = { token: id, person: row.person };
    await appendEntry(tx, {
      kind: 'token.revoked',
      agent: row.agent,
      ref: id,
      at: now,
      actor: actor.id,
      data,
    });
    return { id, revokedAt: now };
  });
}
