import { type Selectable, sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import type { RevocationTable } from '../db/tables.ts';
import { toldProcess } from '../domain/evidence/facts.ts';
import { hindsightOf, wouldHaveBreached } from '../domain/evidence/hindsight.ts';
import { ratioText } from '../domain/evidence/ratio.ts';
import { breachFindings } from '../domain/incident/findings.ts';
import { costOf, costText } from '../domain/rates.ts';
import { harmfulActions } from '../incidents/harmful.ts';
import { mergeSameRollback } from '../incidents/merge.ts';
import { openIncident } from '../incidents/open.ts';
import { addAction } from '../incidents/wrong-write.ts';
import { raiseAlert } from '../records/alert.ts';
import { manifestOf } from '../records/manifest.ts';
import { ratesOf } from '../records/rates.ts';
import { followRevocation } from '../records/revocation.ts';
import { ripeBefore, rolloutById } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { pricedOf } from './priced.ts';
import { releaseOf } from './release-of.ts';

const LISTED_MAX = 50;

/** What a rollback keeps for its report. */
export interface RollbackFacts {
  because: string;
  incident: string;
  verdict?: VerdictRecord | undefined;
  breachAt?: string | undefined;
}

interface RollbackRow extends Omit<Selectable<RevocationTable>, 'facts'> {
  agent: string;
  rollout_id: string;
  segment: string;
  facts: RollbackFacts & { changed: boolean; inFlight: unknown[] };
}

/**
 * What follows a rollback, in one transaction and once: what waited is voided, the gate is read back (`verified_at` says
 * that nothing of the candidate is left open), an incident is opened with the evidence, and on-call is told.
 * @param revokedAt when it was committed; from elsewhere, when it was recorded
 */
export async function reportRollback(
  { db, clock, wake, dayMs }: Pick<Services, 'db' | 'clock' | 'wake' | 'dayMs'>,
  id: number,
  revokedAt?: Date,
): Promise<void> {
  await withoutDeadlock(() =>
    db.sql.transaction().execute(async (tx) => {
      const voided = await followRevocation(tx, id, clock.now());
      const row = (await tx
        .selectFrom('revocation')
        .selectAll()
        .where('id', '=', id)
        .where('done_at', 'is', null)
        .executeTakeFirst()) as unknown as RollbackRow | undefined;
      if (!row) return;
      if (row.facts.changed)
        await report(tx, row, { voided, revokedAt: revokedAt ?? row.at, now: clock.now(), dayMs });
      await tx
        .updateTable('revocation')
        .set({ done_at: clock.now(), facts: '{}' })
        .where('id', '=', id)
        .execute();
    }),
  );
  wake();
}

interface Reported {
  voided: number;
  revokedAt: Date;
  now: Date;
  dayMs: number;
}

async function report(tx: Sql, row: RollbackRow, { voided, revokedAt, now, dayMs }: Reported): Promise<void> {
  const { agent, rollout_id: rollout, segment, at, actor } = row;
  const { because, incident, verdict, inFlight } = row.facts;
  const breachAt = row.facts.breachAt === undefined ? undefined : new Date(row.facts.breachAt);
  const breachToRevokedMs = breachAt && revokedAt.getTime() - breachAt.getTime();
  const facts = await whatApplies(tx, row, at);
  const verified = await isClosed(tx, row);
  const costs = await costsOf(tx, row);
  await openIncident(tx, {
    id: incident,
    agent,
    because: verdict === undefined ? 'rollback' : 'breach',
    rollout,
    segment,
    metric: verdict?.metric,
    title: `${segment} of ${agent} rolled back: ${because}`,
    at,
    by: actor,
    dayMs,
    severity: 'high',
    // What ran under it there was ended with the rollback; what was allowed meanwhile ends now.
    ends: ['autonomy', 'standingApprovals'],
    restartsEvidence: true,
    breachAt,
    revokedAt,
    breachToRevokedMs,
    verifiedAt: verified ? now : undefined,
    findings: verdict && breachFindings(await hindsightAt(tx, row, verdict, breachAt ?? at)),
    evidence: {
      ...(costs !== undefined && { costs }),
      verdict: verdict ?? null,
      executed: facts.executed,
      inFlight,
    },
  });
  if (verdict !== undefined)
    for (const action of await harmfulActions(tx, { agent, rollout, segment, metric: verdict.metric }))
      await addAction(tx, { incident, action, agent, because: 'named', at, by: actor });
  await mergeSameRollback(tx, { incident, agent, rollout, segment, at: now });
  await raiseAlert(tx, 'rollout.rolled_back', agent, revokedAt, {
    rollout,
    segment,
    because,
    ...evidenceFacts(verdict),
    ...(costs !== undefined && { costs }),
    ...facts,
    voided,
    inFlight,
    breachToRevokedMs: breachToRevokedMs ?? null,
    verified,
    incident,
  });
}

/** Whether the days that were ripe a day before would have sufficed, had been known of them what is known now. */
async function hindsightAt(
  tx: Sql,
  { rollout_id }: RollbackRow,
  verdict: VerdictRecord,
  breachAt: Date,
): Promise<ReturnType<typeof hindsightOf>> {
  if (verdict.kind === 'pooled') return undefined;
  const rollout = await rolloutById(tx, rollout_id);
  const dayBefore = new Date(breachAt.getTime() - rollout.plan.dayMs);
  return hindsightOf([wouldHaveBreached(verdict, ripeBefore(rollout, verdict.metric, dayBefore))]);
}

/** What the harm of the segment cost by the rates that are declared; it decided nothing. */
async function costsOf(
  tx: Sql,
  { agent, rollout_id, segment, facts }: RollbackRow,
): Promise<string | undefined> {
  const { verdict } = facts;
  if (verdict === undefined) return undefined;
  const ofSegment = (one: { segment: string }) => one.segment === segment;
  const sums = verdict.sums?.buckets.filter(ofSegment);
  const priced = pricedOf(await rolloutById(tx, rollout_id), verdict.buckets.filter(ofSegment), sums);
  const cost = costOf(await ratesOf(tx, agent), verdict.metric, priced);
  return cost && costText(cost);
}

/** The figures of a breach, as alerts show them. */
export function evidenceFacts(verdict: VerdictRecord | undefined) {
  if (verdict === undefined) return {};
  const { metric, eValue, limit, events, harms, count, control, difference } = verdict;
  const told = toldProcess(verdict);
  if (control && told === 'control') {
    const { treatedHarms, controlHarms } = control;
    return { metric, eValue: control.eValue, harms: treatedHarms, besideControl: controlHarms };
  }
  if (difference && told === 'control') {
    const { treated, treatedMean, controlMean } = difference;
    return {
      metric,
      eValue: difference.eValue,
      events: treated.known,
      mean: figureOf(treatedMean),
      besideMean: figureOf(controlMean) ?? 'nothing',
    };
  }
  if (count && told === 'count')
    return {
      metric,
      eValue: count.eValue,
      harms: count.total,
      allowed: Number(count.allowed.toPrecision(4)),
    };
  return {
    metric,
    eValue,
    limit,
    events,
    ...(harms === null ? { mean: figureOf(verdict.estimate), ...ratioOf(verdict) } : { harms }),
  };
}

function ratioOf({ sums, estimate, unit }: VerdictRecord): { ratio?: string } {
  if (sums?.perMax === undefined) return {};
  return { ratio: ratioText(estimate === null ? null : String(figureOf(estimate)), unit) };
}

const figureOf = (mean: number | null): number | null => (mean === null ? null : Number(mean.toPrecision(4)));

/** What on-call needs to know: what applies now, who can answer, and which writes the candidate did on its own. */
async function whatApplies(tx: Sql, row: RollbackRow, at: Date) {
  const { agent, segment } = row;
  const manifest = await manifestOf(tx, agent);
  const executed = await executedAlone(tx, row);
  const waiting = await tx
    .selectFrom('open_action')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('agent', '=', agent)
    .where('segment', '=', segment)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  return {
    agent,
    backOn: (await releaseOf(tx, agent, segment)) ?? null,
    waiting: Number(waiting.count),
    approversInGroup: await approversInAll(tx, agent, at),
    executed: executed.map(({ id, tool, summary }) => ({
      action: id,
      summary,
      reversibility: manifest.tools[tool]?.reversibility ?? 'irreversible',
      undo: manifest.tools[tool]?.undo ?? null,
    })),
  };
}

/** The last writes that the candidate did on its own, and those of its release that ran by being in force. */
async function executedAlone(tx: Sql, { agent, rollout_id, segment, release }: RollbackRow) {
  const done = tx
    .selectFrom('action')
    .select(['id', 'tool', 'summary'])
    .where('segment', '=', segment)
    .where('kind', '=', 'write')
    .where('decided_by', '=', 'policy')
    .where('state', 'in', ['executed', 'unknown'])
    .orderBy('id', 'desc')
    .limit(LISTED_MAX)
    // Whoever erases one waits for this, and finds what is told of it.
    .forKeyShare();
  const own = await done.where('rollout_id', '=', rollout_id).where('arm', '=', 'candidate').execute();
  if (release === null) return own;
  const since = sql<string>`(SELECT lowest_id(o.ended_at) FROM rollout o WHERE o.id = ${rollout_id})`;
  const inForce = await done
    .where('agent', '=', agent)
    .where('release', '=', release)
    .where('arm', '=', 'control')
    .where('id', '>=', since)
    .execute();
  return [...inForce, ...own].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, LISTED_MAX);
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

/** Reads the enforcement point back: nothing exposed, and nothing of it that was asked before waiting. */
async function isClosed(
  tx: Sql,
  { id, rollout_id: rollout, segment }: Pick<RollbackRow, 'id' | 'rollout_id' | 'segment'>,
): Promise<boolean> {
  const { rows } = await sql<{ closed: boolean }>`
    SELECT NOT EXISTS (SELECT 1 FROM rollout_segment
        WHERE rollout_id = ${rollout} AND segment = ${segment} AND (exposure > 0 OR state <> 'rolled_back'))
      AND NOT EXISTS (SELECT still_revoked(r) FROM revocation r WHERE r.id = ${id}) AS closed`.execute(tx);
  return rows[0]?.closed ?? false;
}
