import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { firedBy } from '../domain/evidence/facts.ts';
import { openIncident } from '../incidents/open.ts';
import { raiseAlert } from '../records/alert.ts';
import { figures } from '../records/figures.ts';
import { manifestOf } from '../records/manifest.ts';
import { rolloutById } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';

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

interface RollbackRow {
  status: 'rolled_back' | 'unchanged';
  /** Whether it was exposed or in force: else nothing was taken back and nobody is told. */
  changed: boolean;
  voided: number;
  inFlight: unknown[];
  credentialsUntil: string | null;
}

/**
 * Takes segments back in one transaction (exposure zero, generation and epoch up, what waited voided), with an incident
 * and an alert to on-call for each. The gate is read back in the same transaction, which holds it alone: `verified_at`
 * says that nothing of the candidate is left open. Returns those that were not rolled back already.
 */
export async function rollBack(
  services: Services,
  rolloutId: string,
  targets: readonly Target[],
  cause: RollbackCause,
): Promise<RolledBack[]> {
  const taken = await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      // It holds the gate: a process that stands still must not.
      await sql`SET LOCAL idle_in_transaction_session_timeout = '5s'`.execute(tx);
      const all = [];
      for (const target of targets) all.push(await takeBack(tx, services, rolloutId, target, cause));
      return all.filter((one) => one !== undefined);
    }),
  );
  if (taken.length > 0) services.wake();
  const revokedAt = services.clock.now();
  const breachToRevokedMs = cause.breachAt && revokedAt.getTime() - cause.breachAt.getTime();
  const incidents = taken.flatMap(({ incident }) => incident ?? []);
  if (incidents.length > 0) {
    await services.db.sql
      .updateTable('incident')
      .set({ revoked_at: revokedAt, breach_to_revoked_ms: breachToRevokedMs ?? null })
      .where('id', 'in', incidents)
      .execute();
  }
  return taken.map((one) => ({ ...one, breachToRevokedMs }));
}

async function takeBack(
  tx: Sql,
  { clock }: Services,
  rolloutId: string,
  { segment, generation }: Target,
  cause: RollbackCause,
): Promise<{ segment: string; incident?: string } | undefined> {
  const at = clock.now();
  const { rows } = await sql<{ answer: RollbackRow }>`
    SELECT rollback_segment(${rolloutId}, ${segment}, ${generation ?? null}, ${at}, ${cause.actor},
      ${cause.because}, ${JSON.stringify(figures(cause.verdict ?? null))}::jsonb) AS answer`.execute(tx);
  const answer = rows[0]?.answer;
  if (answer?.status !== 'rolled_back') return undefined;
  if (!answer.changed) return { segment };
  const facts = await whatApplies(tx, rolloutId, segment, at);
  const verified = await isClosed(tx, rolloutId, segment);
  const revokedAt = clock.now();
  const incident = await openIncident(tx, {
    agent: facts.agent,
    rollout: rolloutId,
    segment,
    metric: cause.verdict?.metric,
    title: `${segment} of ${facts.agent} rolled back: ${cause.because}`,
    at,
    by: cause.actor,
    breachAt: cause.breachAt,
    revokedAt,
    verifiedAt: verified ? revokedAt : undefined,
    evidence: { verdict: cause.verdict ?? null, executed: facts.executed, inFlight: answer.inFlight },
  });
  await raiseAlert(tx, 'rollout.rolled_back', facts.agent, revokedAt, {
    rollout: rolloutId,
    segment,
    because: cause.because,
    ...evidenceFacts(cause.verdict),
    ...facts,
    voided: answer.voided,
    inFlight: answer.inFlight,
    breachToRevokedMs: cause.breachAt ? revokedAt.getTime() - cause.breachAt.getTime() : null,
    verified,
    incident,
  });
  return { segment, incident };
}

function evidenceFacts(verdict: VerdictRecord | undefined) {
  if (verdict === undefined) return {};
  const { metric, eValue, limit, events, harms, count } = verdict;
  if (count === undefined || firedBy(verdict).includes('rate'))
    return { metric, eValue, limit, events, harms };
  return { metric, eValue: count.eValue, harms: count.total, allowed: Number(count.allowed.toPrecision(4)) };
}

/** What on-call needs to know: what applies now, who can answer, and which writes the candidate did on its own. */
async function whatApplies(tx: Sql, rolloutId: string, segment: string, at: Date) {
  const rollout = await rolloutById(tx, rolloutId);
  const manifest = await manifestOf(tx, rollout.agent);
  const executed = await tx
    .selectFrom('action')
    .select(['id', 'tool', 'summary'])
    .where('rollout_id', '=', rolloutId)
    .where('segment', '=', segment)
    .where('arm', '=', 'candidate')
    .where('kind', '=', 'write')
    .where('decided_by', '=', 'policy')
    .where('state', 'in', ['executed', 'unknown'])
    .orderBy('completed_at', 'desc')
    .limit(50)
    .execute();
  const waiting = await tx
    .selectFrom('action')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('agent', '=', rollout.agent)
    .where('segment', '=', segment)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  return {
    agent: rollout.agent,
    backOn: (await releaseOf(tx, rollout.agent, segment)) ?? null,
    waiting: Number(waiting.count),
    approversInGroup: await approversInAll(tx, rollout.agent, at),
    executed: executed.map(({ id, tool, summary }) => ({
      action: id,
      summary,
      reversibility: manifest.tools[tool]?.reversibility ?? 'irreversible',
      undo: manifest.tools[tool]?.undo ?? null,
    })),
  };
}

async function approversInAll(tx: Sql, agent: string, at: Date): Promise<number> {
  const people = await tx
    .selectFrom('agent_approver')
    .select('person')
    .distinct()
    .where('agent', '=', agent)
    .where((where) => where.or([where('from_at', 'is', null), where('from_at', '<=', at)]))
    .where((where) => where.or([where('until_at', 'is', null), where('until_at', '>', at)]))
    .execute();
  return people.length;
}

/** The release in force in a segment. */
export async function releaseOf(db: Sql, agent: string, segment: string): Promise<string | undefined> {
  const rows = await db
    .selectFrom('in_force')
    .select(['segment', 'release'])
    .where('agent', '=', agent)
    .where('segment', 'in', [segment, 'default'])
    .execute();
  return (rows.find((row) => row.segment === segment) ?? rows[0])?.release;
}

/** Reads the enforcement point back: nothing exposed and nothing of the candidate waiting. */
async function isClosed(tx: Sql, rolloutId: string, segment: string): Promise<boolean> {
  const { rows } = await sql<{ closed: boolean }>`
    SELECT NOT EXISTS (SELECT 1 FROM rollout_segment
        WHERE rollout_id = ${rolloutId} AND segment = ${segment} AND (exposure > 0 OR state <> 'rolled_back'))
      AND NOT EXISTS (SELECT 1 FROM action WHERE rollout_id = ${rolloutId} AND segment = ${segment}
        AND arm = 'candidate' AND kind = 'write' AND state IN ('pending', 'approved')) AS closed`.execute(tx);
  return rows[0]?.closed ?? false;
}
