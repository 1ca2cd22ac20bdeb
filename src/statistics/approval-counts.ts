import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Risk } from '../domain/agent.ts';
import { quantile } from '../domain/histogram.ts';

/** What is looked at: since when, and of which agent. */
export interface StatsWindow {
  since: Date;
  agent?: string;
}

/** How often something was counted and how long it took; what is counted is in src/db/functions/approval-counts.sql. */
export interface ApprovalCount {
  agent: string;
  tool: string;
  risk: Risk;
  person: string;
  measure: string;
  /** Null: no time is known. */
  bucket: number | null;
  n: number;
  /** All of it together. */
  ms: number;
}

const ORIGIN_MS = Date.UTC(2000, 0, 1);

/** What is counted is counted by quarters of a day: the begin of that in which `at` is. */
export function beginOfQuarter(at: Date, dayMs: number): Date {
  const quarterMs = dayMs / 4;
  return new Date(ORIGIN_MS + Math.floor((at.getTime() - ORIGIN_MS) / quarterMs) * quarterMs);
}

/** What was counted since the begin of a quarter of a day, with what is not added up yet. */
export async function approvalCounts(db: Sql, { since, agent }: StatsWindow): Promise<ApprovalCount[]> {
  const whose = agent === undefined ? sql`ARRAY(SELECT name FROM agent)` : sql`ARRAY[${agent}]`;
  const { rows } = await sql<ApprovalCount>`
    SELECT * FROM approval_counts(${whose}, ${since})`.execute(db);
  return rows;
}

/** Standing approvals given since then: people give them, one by one. */
export async function standingGiven(db: Sql, { since, agent }: StatsWindow): Promise<number> {
  const given = await db
    .selectFrom('standing_approval')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('starts_at', '>=', since)
    .$if(agent !== undefined, (query) => query.where('agent', '=', agent ?? ''))
    .executeTakeFirstOrThrow();
  return given.count;
}

export const total = (counts: readonly ApprovalCount[]): number => counts.reduce((sum, { n }) => sum + n, 0);

export const totalMs = (counts: readonly ApprovalCount[]): number =>
  counts.reduce((sum, { ms }) => sum + ms, 0);

/** Of the times that are known; within 1 %. */
export function timeWithin(counts: readonly ApprovalCount[], share: number): number | undefined {
  const histogram = new Map<number, number>();
  for (const { bucket, n } of counts)
    if (bucket !== null) histogram.set(bucket, (histogram.get(bucket) ?? 0) + n);
  return quantile(histogram, share);
}
