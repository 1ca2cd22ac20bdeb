import { afterCommit, followRevocation } from '../records/revocation.ts';
import type { Services } from '../services.ts';
import { reportRollback } from './rollback-report.ts';

/** Whoever took something away follows it up at once; what is left after this was left by somebody who died. */
const LEFT_AFTER_MS = 1_000;

/** Goes on with what was taken away and not followed up, in its order. One that fails does not keep the others waiting. */
export async function followRevocations(services: Services): Promise<void> {
  const { db, clock, log } = services;
  const open = await db.sql
    .selectFrom('revocation')
    .select(['id', 'kind'])
    .where('done_at', 'is', null)
    .where('at', '<', new Date(clock.now().getTime() - LEFT_AFTER_MS))
    .orderBy('id')
    .execute();
  for (const { id, kind } of open) {
    await afterCommit(log, id, () =>
      kind === 'rollback' ? reportRollback(services, id) : followRevocation(db.sql, id, clock.now()),
    );
  }
  if (open.length > 0) services.wake();
}
