import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type DoneFacts, evaluateDone } from '../domain/follow-up/done.ts';
import { appendEntry } from '../records/log-entry.ts';
import { dayOf, watchedRollout } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { type FollowUpRow, lockedFollowUp } from './find.ts';

/** Where a predicate finds out what others know; what is not given cannot be told. */
export interface FactSources {
  /** Whether a case of an agent is green in what is in force; undefined: there is no such case. */
  caseGreen?: (db: Sql, agent: string, name: string) => Promise<boolean | undefined>;
}

type CheckServices = Pick<Services, 'db' | 'clock' | 'dayMs'>;

/** Evaluates the predicate of one that is committed to, and verifies it where it holds. What it came to is kept with the time. */
export async function checkOne(services: CheckServices, id: string, sources: FactSources): Promise<boolean> {
  const { db, clock, dayMs } = services;
  const seen = await db.sql.selectFrom('follow_up').selectAll().where('id', '=', id).executeTakeFirst();
  if (!seen || seen.done.kind === 'link') return false;
  const { done, because } = evaluateDone(seen.done, await factsFor(services, seen, sources));
  const at = clock.now();
  return db.sql.transaction().execute(async (tx) => {
    const row = await lockedFollowUp(tx, id);
    if (row.state !== 'committed' && row.state !== 'claimed') return false;
    const checked = { at: at.toISOString(), done, because };
    await tx
      .updateTable('follow_up')
      .set({
        checked: JSON.stringify(checked),
        check_at: done ? null : new Date(at.getTime() + dayMs / 4),
        ...(done === true && {
          state: 'verified' as const,
          verified_at: at,
          verified_by: 'records',
          remind_at: null,
          revision: row.revision + 1,
        }),
      })
      .where('id', '=', id)
      .execute();
    if (done === true)
      await appendEntry(tx, {
        kind: 'follow_up.verified',
        agent: row.agent,
        ref: id,
        at,
        actor: 'records',
        data: { because },
      });
    return done === true;
  });
}

async function factsFor(services: CheckServices, row: FollowUpRow, sources: FactSources): Promise<DoneFacts> {
  const { done, agent } = row;
  const { sql: db } = services.db;
  if (done.kind === 'case') return { caseGreen: await sources.caseGreen?.(db, agent, done.case) };
  if (done.kind === 'guardrail') return { guardrailExists: await guardrailExists(db, agent, done.guardrail) };
  if (done.kind === 'metric') return { metricDays: await metricDays(services, agent, done) };
  return {};
}

/** Whether a release that is in force anywhere has a guardrail on the metric; undefined: nothing is in force. */
async function guardrailExists(db: Sql, agent: string, metric: string): Promise<boolean | undefined> {
  const { rows } = await sql<{ has: boolean | null }>`
    SELECT bool_or(EXISTS (SELECT 1 FROM jsonb_array_elements(r.manifest #> '{rollout,guardrails}') AS g
      WHERE g ->> 'metric' = ${metric})) AS has
    FROM in_force f JOIN release r ON r.agent = f.agent AND r.version = f.release WHERE f.agent = ${agent}`.execute(
    db,
  );
  return rows[0]?.has ?? undefined;
}

/** Of the rollout that is open or watched: what was counted of each day, by the last verdicts. */
async function metricDays(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  agent: string,
  { metric, days, segment }: { metric: string; days: number; segment?: string },
): Promise<DoneFacts['metricDays']> {
  const rollout = await watchedRollout(db.sql, agent);
  if (!rollout) return undefined;
  let query = db.sql
    .selectFrom('verdict')
    .select('record')
    .where('rollout_id', '=', rollout.id)
    .where('metric', '=', metric);
  if (segment !== undefined) query = query.where('segment', '=', segment);
  const records = (await query.execute()).map(({ record }) => record as unknown as VerdictRecord);
  if (records.length === 0) return undefined;
  const today = dayOf(rollout, clock.now());
  const buckets = records.flatMap((record) => record.buckets.filter((one) => one.segment === record.segment));
  return Array.from({ length: days }, (_, at) => {
    const ofDay = buckets.filter(({ day }) => day === today - days + at);
    const sum = (of: 'events' | 'harms' | 'known') => ofDay.reduce((total, one) => total + one[of], 0);
    return { events: sum('events'), harms: sum('harms'), known: sum('known') };
  });
}
