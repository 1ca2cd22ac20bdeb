import { type Actor, requireRole } from '../actor.ts';
import type { Replaced } from '../credentials/keys.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

/**
 * Another key signs credentials, receipts and checkpoints from now on; other processes follow within seconds. What the
 * old one signed stays valid.
 * @throws AppError `forbidden`
 */
export async function rotateKeys(
  services: Services,
  actor: Actor,
  { reason }: { reason: string },
): Promise<Replaced> {
  requireRole(actor, ['admin']);
  if (actor.agent !== undefined)
    throw new AppError('forbidden', `${actor.id} acts for agent ${actor.agent}: the keys are everybody's`);
  const now = services.clock.now();
  const replaced = await services.db.sql.transaction().execute(async (tx) => {
    const made = await services.keys.replace(tx, now);
    const { kid, retired, servedUntil } = made;
    await appendEntry(tx, {
      kind: 'keys.rotated',
      agent: null,
      ref: kid,
      at: now,
      actor: actor.id,
      data: { kid, retired, servedUntil: servedUntil.toISOString(), reason },
    });
    return made;
  });
  await services.keys.reload();
  return replaced;
}
