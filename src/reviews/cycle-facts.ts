import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { diffReleases } from '../domain/manifest/diff.ts';
import { costOf } from '../domain/rates.ts';
import type { Release } from '../domain/release.ts';
import { scopeOf } from '../domain/review/agent-scope.ts';
import type { CycleFacts, SeenVerdict } from '../domain/review/cycle.ts';
import { guardrailEdits } from '../domain/review/guardrail-edits.ts';
import { recommend } from '../domain/review/recommend.ts';
import { manifestOf } from '../records/manifest.ts';
import { ratesOf } from '../records/rates.ts';
import { releaseByVersion } from '../records/release.ts';
import { type RolloutRecord, rolloutById } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { cycleCases } from './case-facts.ts';
import type { CycleRow } from './cycle-list.ts';

const GATHERED_AT_ONCE = 20;
const SWITCHES_MAX = 20;
const INCIDENTS_MAX = 20;

/**
 * Writes what changed and what was seen into reviews that have it not yet: after the commit that ended the cycle, which held
 * the gate. At least once, whoever dies in between; the oldest first. @returns how many
 */
export async function gatherDueFacts(services: Services): Promise<number> {
  const due = await services.db.sql
    .selectFrom('cycle_review')
    .selectAll()
    .where('facts', 'is', null)
    .orderBy('opened_at')
    .limit(GATHERED_AT_ONCE)
    .execute();
  for (const row of due) await gatherFacts(services, row);
  return due.length;
}

/** The review with its facts; gathered now, if nobody was there first. */
export async function gatherFacts(services: Services, row: CycleRow): Promise<CycleRow> {
  if (row.facts) return row;
  const db = services.db.sql;
  const facts = await factsOf(db, row, services.clock.now(), services.dayMs);
  const kept = await db
    .updateTable('cycle_review')
    .set({
      facts: JSON.stringify(facts),
      facts_at: services.clock.now(),
      recommendation: recommend(facts.verdicts),
    })
    .where('id', '=', row.id)
    .where('facts', 'is', null)
    .returningAll()
    .executeTakeFirst();
  return kept ?? db.selectFrom('cycle_review').selectAll().where('id', '=', row.id).executeTakeFirstOrThrow();
}

async function factsOf(db: Sql, row: CycleRow, now: Date, dayMs: number): Promise<CycleFacts> {
  const rollout = await rolloutById(db, row.rollout_id);
  const since = await sinceOf(db, row, rollout);
  const until = row.opened_at;
  const { release, control } = await bothReleases(db, rollout);
  const verdicts = await seenVerdicts(db, rollout, row.segments);
  return {
    since: since.toISOString(),
    until: until.toISOString(),
    releaseDiff: diffReleases(control, release).map(({ sign, what, detail }) => ({
      sign,
      what,
      ...(detail !== undefined && { detail }),
    })),
    guardrails: guardrailEdits(control, release),
    builds: rollout.builds.map(({ version }) => version),
    switches: await switchesOf(db, rollout.agent, since, now),
    verdicts,
    cost: await costs(db, rollout, verdicts),
    cases: await cycleCases(db, await manifestOf(db, row.agent), release, { from: since, to: now }, dayMs),
    incidents: await incidentsOf(db, rollout.id, since),
  };
}

/** When the cycle before ended, or the rollout began. */
async function sinceOf(db: Sql, row: CycleRow, rollout: RolloutRecord): Promise<Date> {
  const before = await db
    .selectFrom('cycle_review')
    .select('opened_at')
    .where('agent', '=', row.agent)
    .where('opened_at', '<', row.opened_at)
    .orderBy('opened_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const at = before?.opened_at;
  return at && at > rollout.started_at ? at : rollout.started_at;
}

async function bothReleases(
  db: Sql,
  { agent, release, plan }: RolloutRecord,
): Promise<{ release: Release; control: Release | undefined }> {
  const [version] = Object.values(plan.control);
  return {
    release: await releaseByVersion(db, agent, release),
    control: version === undefined ? undefined : await releaseByVersion(db, agent, version),
  };
}

/** The word that stood last in each segment and metric; what was taken back, the word that took it back. */
async function seenVerdicts(
  db: Sql,
  { id, plan }: RolloutRecord,
  takenBack: readonly string[],
): Promise<SeenVerdict[]> {
  const { rows } = await sql<{
    segment: string;
    metric: string;
    verdict: string;
    estimate: number | null;
    events: number;
    harms: number;
  }>`
    SELECT DISTINCT ON (v.segment, v.metric) v.segment, v.metric, v.verdict, (v.record ->> 'estimate')::float8 AS estimate,
      coalesce(c.events, 0)::float8 AS events, coalesce(c.harms, 0)::float8 AS harms
    FROM verdict v LEFT JOIN LATERAL (SELECT sum(d.events) AS events, sum(d.harms) AS harms FROM day_count d
      WHERE d.rollout_id = v.rollout_id AND d.arm = 'candidate' AND d.segment = v.segment AND d.generation = v.generation
        AND d.metric = v.metric) c ON true
    WHERE v.rollout_id = ${id} AND v.segment <> ${POOLED_SEGMENT}
    ORDER BY v.segment, v.metric, (v.segment = ANY (${[...takenBack]}) AND v.verdict = 'breach') DESC, v.generation DESC`.execute(
    db,
  );
  return rows.map(({ segment, metric, verdict, estimate, events, harms }) => {
    const limit = plan.guardrails.find((one) => one.metric === metric)?.limit;
    return {
      segment,
      metric,
      verdict,
      limit: typeof limit === 'number' ? limit : null,
      value: estimate ?? (events > 0 ? harms / events : null),
      events,
      harms,
    };
  });
}

async function switchesOf(db: Sql, agent: string, since: Date, now: Date): Promise<CycleFacts['switches']> {
  const rows = await db
    .selectFrom('stop')
    .select(['scope', 'reason', 'actor', 'at', 'ended_at'])
    .where('at', '>=', since)
    .where('at', '<=', now)
    .orderBy('at')
    .limit(SWITCHES_MAX * 5)
    .execute();
  return rows
    .filter(({ scope }) => scopeOf(scope, agent))
    .slice(0, SWITCHES_MAX)
    .map(({ scope, reason, actor, at, ended_at }) => ({
      scope,
      reason,
      by: actor,
      at: at.toISOString(),
      endedAt: ended_at?.toISOString() ?? null,
    }));
}

async function costs(
  db: Sql,
  { agent, started_at }: RolloutRecord,
  verdicts: readonly SeenVerdict[],
): Promise<CycleFacts['cost']> {
  const rates = await ratesOf(db, agent);
  if (!rates) return null;
  const segments = verdicts.flatMap(({ segment, metric, harms }) => {
    const cost = costOf(rates, metric, [{ at: started_at, count: harms }]);
    return cost && cost.amount > 0 ? [{ segment, metric, amount: cost.amount }] : [];
  });
  return { currency: rates.currency, segments };
}

async function incidentsOf(db: Sql, rollout: string, since: Date): Promise<string[]> {
  const rows = await db
    .selectFrom('incident')
    .select('id')
    .where('rollout_id', '=', rollout)
    .where('opened_at', '>=', since)
    .orderBy('opened_at')
    .limit(INCIDENTS_MAX)
    .execute();
  return rows.map(({ id }) => id);
}
