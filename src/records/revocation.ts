import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Sql } from '../db/database.ts';

/** Whose actions something was taken away from; what is not given is not restricted. */
export interface Revoked {
  agent: string;
  rollout?: string;
  segment?: string;
  arm?: 'control' | 'candidate';
  because: 'new_release' | 'tightened';
  epoch: number;
  at: Date;
  actor: string;
}

/**
 * Keeps, with the change itself, that what was asked about these actions before it is void; the caller holds the gate.
 * @returns what `followRevocation` wants after the commit
 */
export async function revoke(
  tx: Sql,
  { agent, rollout, segment, arm, because, epoch, at, actor }: Revoked,
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    SELECT revoke('release', ${agent}, NULL, ${rollout ?? null}, ${segment ?? null}, ${arm ?? null},
      ARRAY['read', 'write'], 'superseded', ${because}, ${epoch}, ${at}, ${actor}) AS id`.execute(tx);
  if (!rows[0]) throw new Error('the store kept no revocation');
  return rows[0].id;
}

/** Voids what waited and, of a switch, tells people; once, whoever comes first. @returns how many were voided */
export async function followRevocation(db: Sql, id: number, now: Date): Promise<number> {
  const { rows } = await sql<{ voided: number }>`SELECT follow_revocation(${id}, ${now}) AS voided`.execute(
    db,
  );
  return rows[0]?.voided ?? 0;
}

/**
 * What follows a change that is committed already. Whoever made the change is answered that it was made, however this ends:
 * where it fails, the service goes on with it (`followRevocations`).
 */
export async function afterCommit(
  log: Logger,
  revocation: number,
  follow: () => Promise<unknown>,
): Promise<void> {
  try {
    await follow();
  } catch (error) {
    log.error({ err: error, revocation }, 'what follows from taking something away failed');
  }
}
