import { sql } from 'kysely';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import type { Services } from '../services.ts';
import { pullSwitch } from './disable.ts';

/** What was taken back, and what is in force, for people to compare. */
export interface Recovered {
  epochBefore: number;
  epoch: number;
  /** Actions that waited or were approved in the backup; absent while they are still ended. None of them begins. */
  voided?: number;
  tokensRevoked: number;
  deputiesEnded: number;
  segments: { rollout: string; agent: string; segment: string; exposureBefore: number }[];
  inForce: { agent: string; segment: string; release: string; since: string }[];
}

/**
 * Makes a restored store safe: disables everything, reads too, then takes back whatever may have been taken away since the
 * backup, and jumps the epoch. Safe to repeat.
 * @throws AppError `store_slow` where the gate cannot be closed at once: it is asked for again
 */
export async function recoverStore(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: string,
  { reason, keepTokens }: { reason: string; keepTokens: boolean },
): Promise<Recovered> {
  requireReason(reason, 'recover');
  const stop = await pullSwitch({ db, clock }, actor, { scope: 'everything', reads: true, reason });
  if (stop.state !== 'closed') {
    const holders = stop.heldBy.map(({ pid, what }) => `${what} (backend ${pid})`).join(', ');
    throw new AppError('store_slow', `Cannot recover yet: the gate is still closing, held by ${holders}`);
  }
  const own = await db.openStop();
  try {
    const { rows } = await sql<{ answer: Omit<Recovered, 'voided'> }>`
      SELECT recover_store(${reason}, ${actor}, ${clock.now()}, ${keepTokens}) AS answer`.execute(own.sql);
    if (!rows[0]) throw new Error('the store answered nothing to recover');
    return { ...rows[0].answer, voided: stop.voided };
  } finally {
    await own.close();
  }
}
