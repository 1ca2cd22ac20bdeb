import { setTimeout as sleep } from 'node:timers/promises';
import type { InFlight } from '../records/stop.ts';
import type { Services } from '../services.ts';

const POLL_MS = 250;

/** Which of the writes that had begun may still land: executing, with a credential that lives. */
export async function stillInFlight(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  inFlight: readonly InFlight[],
): Promise<InFlight[]> {
  if (inFlight.length === 0) return [];
  const rows = await db.sql
    .selectFrom('action')
    .innerJoin('credential', 'credential.action_id', 'action.id')
    .select('action.id')
    .distinct()
    .where(
      'action.id',
      'in',
      inFlight.map(({ action }) => action),
    )
    .where('action.state', '=', 'executing')
    .where('credential.revoked_at', 'is', null)
    .where('credential.expires_at', '>', clock.now())
    .execute();
  const open = new Set(rows.map(({ id }) => id));
  return inFlight.filter(({ action }) => open.has(action));
}

/** Waits, at most `atMostMs`, until each is completed or its credential revoked or expired. Returns what is left. */
export async function waitDrained(
  services: Pick<Services, 'db' | 'clock'>,
  inFlight: readonly InFlight[],
  atMostMs: number,
): Promise<InFlight[]> {
  const until = performance.now() + atMostMs;
  for (;;) {
    const left = await stillInFlight(services, inFlight);
    if (left.length === 0 || performance.now() >= until) return left;
    await sleep(POLL_MS);
  }
}
