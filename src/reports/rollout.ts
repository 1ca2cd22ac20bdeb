import type { Sql } from '../db/database.ts';
import { readLog } from '../log/read.ts';
import { dayOf, daysAt, type RolloutRecord, rolloutById } from '../records/rollout.ts';
import { SOURCE_BUILD } from '../rollouts/read-sources.ts';
import { type RolloutStatusView, rolloutStatus } from '../rollouts/status.ts';
import type { Services } from '../services.ts';
import { type Count, countsOf, type EvidenceView, evidenceOf } from './evidence.ts';
import { type TimelineItem, timelineOf } from './timeline.ts';

const TIMELINE_MAX = 1_000;
const PER_CENT = 100;

/** How far a segment was exposed, in days since the start. */
export interface ExposedSpan {
  fromDay: number;
  toDay: number;
  percent: number;
}

/** Everything there is to see of a rollout. Of one that has ended it is the same bytes each time. */
export interface RolloutReport {
  rollout: RolloutStatusView;
  reason: string;
  alpha: number;
  signedOffBy: string;
  escalation: string;
  /** The moment up to which it is told: now, or when it ended. */
  asOf: Date;
  /** That moment in days since the start. */
  atDay: number;
  exposures: { segment: string; spans: ExposedSpan[] }[];
  evidence: EvidenceView[];
  /** The builds of the agent, and the day on which each first counted. */
  builds: { version: string; fromDay: number }[];
  timeline: TimelineItem[];
}

/** @throws AppError `not_found` */
export async function rolloutReport(services: Services, id: string): Promise<RolloutReport> {
  const { sql: db } = services.db;
  const rollout = await rolloutById(db, id);
  const status = await rolloutStatus(services, id);
  const asOf = rollout.ended_at ?? services.clock.now();
  const { plan } = rollout;
  const counts = await countsOf(db, rollout, 'candidate');
  const before = await countsOf(db, rollout, 'control');
  return {
    rollout: status,
    reason: rollout.reason,
    alpha: plan.alpha,
    signedOffBy: plan.signedOffBy,
    escalation: plan.escalation,
    asOf,
    atDay: daysAt(rollout, asOf),
    exposures: await exposuresOf(db, rollout, asOf),
    evidence: await evidenceOf(db, rollout, status, { counts, before, today: dayOf(rollout, asOf) }),
    builds: buildsOf(counts),
    timeline: await timeline(db, rollout),
  };
}

async function exposuresOf(db: Sql, rollout: RolloutRecord, asOf: Date): Promise<RolloutReport['exposures']> {
  const rows = await db
    .selectFrom('exposure')
    .select(['segment', 'exposure', 'from_at', 'until_at'])
    .where('rollout_id', '=', rollout.id)
    .orderBy('segment')
    .orderBy('from_at')
    .execute();
  return [...new Set(rows.map(({ segment }) => segment))].map((segment) => ({
    segment,
    spans: rows
      .filter((row) => row.segment === segment)
      .map(({ exposure, from_at, until_at }) => ({
        fromDay: daysAt(rollout, from_at),
        toDay: daysAt(rollout, until_at ?? asOf),
        percent: exposure / PER_CENT,
      })),
  }));
}

/** In the order of their first day. */
function buildsOf(counts: readonly Count[]): RolloutReport['builds'] {
  const first = new Map<string, number>();
  for (const { build, day } of counts) if (build !== SOURCE_BUILD && !first.has(build)) first.set(build, day);
  return [...first].map(([version, fromDay]) => ({ version, fromDay }));
}

async function timeline(db: Sql, rollout: RolloutRecord): Promise<TimelineItem[]> {
  const entries = await readLog(db, { ref: rollout.id, limit: TIMELINE_MAX, newestFirst: true });
  return timelineOf(entries.toReversed(), (at) => daysAt(rollout, at));
}
