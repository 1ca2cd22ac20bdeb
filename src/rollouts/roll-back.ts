import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { newIncidentId } from '../incidents/open.ts';
import { figures } from '../records/figures.ts';
import { closeGateFor } from '../records/gate.ts';
import { afterCommit } from '../records/revocation.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { type RollbackFacts, reportRollback } from './rollback-report.ts';

/** Why segments are taken back: a breach with its evidence, or a person's word. */
export interface RollbackCause {
  actor: string;
  because: string;
  verdict?: VerdictRecord;
  /** Commit of the deciding outcome. */
  breachAt?: Date;
}

/** A segment and the generation that was judged; another generation means somebody was there first. */
export interface Target {
  segment: string;
  generation?: number;
}

export interface RolledBack {
  segment: string;
  /** None where nothing was exposed: the segment is closed, and nobody needs to be told. */
  incident?: string;
  breachToRevokedMs?: number;
}

interface Taken {
  segment: string;
  incident?: string;
  revocation: number;
}

/**
 * Takes segments back in one transaction under the gate (exposure zero, generation and epoch up), and `alsoThen` in the
 * same one. After its commit, for each: what waited is voided, the gate read back, an incident opened and on-call told;
 * should this process die in between, the service goes on with it. Returns those that were not rolled back already.
 */
export async function rollBack(
  services: Services,
  rolloutId: string,
  targets: readonly Target[],
  cause: RollbackCause,
  alsoThen?: (tx: Sql) => Promise<void>,
): Promise<RolledBack[]> {
  const taken = await closeGateFor(
    services,
    async (tx, epoch) => {
      const all: Taken[] = [];
      for (const target of targets) {
        const one = await takeBack(tx, services, { rolloutId, epoch }, target, cause);
        if (one) all.push(one);
      }
      await alsoThen?.(tx);
      return all.length > 0 || alsoThen ? all : false;
    },
    // A stop too: another one waits for it and does not end it.
    { as: `stop ${rolloutId}` },
  );
  const revokedAt = services.clock.now();
  const { breachAt } = cause;
  const breachToRevokedMs = breachAt && revokedAt.getTime() - breachAt.getTime();
  const all = taken || [];
  for (const { revocation } of all)
    await afterCommit(services.log, revocation, () => reportRollback(services, revocation, revokedAt));
  return all.map(({ segment, incident }) => ({ segment, incident, breachToRevokedMs }));
}

async function takeBack(
  tx: Sql,
  { clock }: Services,
  { rolloutId, epoch }: { rolloutId: string; epoch: number },
  { segment, generation }: Target,
  { actor, because, verdict, breachAt }: RollbackCause,
): Promise<Taken | undefined> {
  const incident = newIncidentId();
  const facts: RollbackFacts = { because, incident, verdict, breachAt: breachAt?.toISOString() };
  const { rows } = await sql<{
    answer: { status: 'rolled_back' | 'unchanged'; changed: boolean; revocation: number };
  }>`
    SELECT rollback_segment(${rolloutId}, ${segment}, ${generation ?? null}, ${epoch}, ${clock.now()}, ${actor},
      ${because}, ${JSON.stringify(figures(verdict ?? null))}::jsonb, ${JSON.stringify(facts)}::jsonb) AS answer`.execute(
    tx,
  );
  const answer = rows[0]?.answer;
  if (answer?.status !== 'rolled_back') return undefined;
  const { changed, revocation } = answer;
  return { segment, revocation, ...(changed ? { incident } : {}) };
}
