import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT, withCompanion } from '../domain/evidence/alpha.ts';
import { breachText, firedBy } from '../domain/evidence/facts.ts';
import { type SeriesDay, seriesOf } from '../domain/evidence/series.ts';
import { readLog } from '../log/read.ts';
import { manifestOf } from '../records/manifest.ts';
import { type RolloutRecord, rolloutById } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import { judgedAgainst } from '../rollouts/baseline.ts';
import { type RolloutStatusView, rolloutStatus } from '../rollouts/status.ts';
import type { Services } from '../services.ts';
import { type TimelineItem, timelineOf } from './timeline.ts';

const TIMELINE_MAX = 1_000;
const PER_CENT = 100;

/** How far a segment was exposed, in days since the start. */
export interface ExposedSpan {
  fromDay: number;
  toDay: number;
  percent: number;
}

/** One process: from its first event to its breach, or to now. */
export interface ProcessView {
  generation: number;
  days: SeriesDay[];
  /** The day it fired, counted from the start, and why. */
  breach: { day: number; at: Date; because: string } | null;
}

/** One guardrail in one segment. */
export interface EvidenceView {
  segment: string;
  metric: string;
  /** The business metric it stands for, in the owners' words. */
  business: string;
  unit: string;
  limit: number;
  reason: string;
  /** What E must reach; null: it only reports. */
  trigger: number | null;
  verdict: string;
  moreNeeded: number | null;
  processes: ProcessView[];
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
  return {
    rollout: status,
    reason: rollout.reason,
    alpha: plan.alpha,
    signedOffBy: plan.signedOffBy,
    escalation: plan.escalation,
    asOf,
    atDay: daysAt(rollout, asOf),
    exposures: await exposuresOf(db, rollout, asOf),
    evidence: await evidenceOf(db, rollout, status),
    builds: await buildsOf(db, rollout),
    timeline: await timeline(db, rollout),
  };
}

const daysAt = ({ started_at, plan }: RolloutRecord, at: Date): number =>
  Math.max(0, (at.getTime() - started_at.getTime()) / plan.dayMs);

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

async function evidenceOf(
  db: Sql,
  rollout: RolloutRecord,
  status: RolloutStatusView,
): Promise<EvidenceView[]> {
  const { guardrails, alpha, shares } = rollout.plan;
  const { metrics } = await manifestOf(db, rollout.agent);
  const counts = await db
    .selectFrom('day_count')
    .select(['segment', 'metric', 'generation', 'day', 'events', 'harms', 'known'])
    .where('rollout_id', '=', rollout.id)
    .where('arm', '=', 'candidate')
    .execute();
  const fired = await breachesOf(db, rollout);
  return status.segments.flatMap(({ segment, verdicts }) =>
    guardrails.flatMap((guardrail): EvidenceView[] => {
      const { metric, reason } = guardrail;
      const own = counts.filter((one) => one.segment === segment && one.metric === metric);
      if (own.length === 0) return [];
      const share = shares.find((one) => one.guardrail === metric && one.segment === segment)?.weight ?? 0;
      const counted = rollout.per_day?.some(
        (one) => one.metric === metric && one.segment === segment && one.perDay !== null,
      );
      const rate = withCompanion(share, counted ?? false).rate;
      const { limit, weight, baselineThin } = judgedAgainst(rollout, guardrail, segment, rate);
      const latest = verdicts.find((verdict) => verdict.metric === metric);
      const { business = '', unit = '' } = metrics[metric] ?? {};
      const named = { segment, metric, business, unit, limit, reason };
      const judged = { verdict: latest?.verdict ?? 'no-data', moreNeeded: latest?.moreNeeded ?? null };
      const breaches = fired.filter((one) => one.segment === segment && one.metric === metric);
      const processes = processesOf(own, breaches, limit, alpha);
      return [
        {
          ...named,
          ...judged,
          trigger: weight > 0 && !baselineThin ? 1 / (alpha * weight) : null,
          processes,
        },
      ];
    }),
  );
}

interface Breach {
  segment: string;
  metric: string;
  generation: number;
  day: number;
  at: Date;
  because: string;
}

async function breachesOf(db: Sql, rollout: RolloutRecord): Promise<Breach[]> {
  const rows = await db
    .selectFrom('verdict')
    .select(['segment', 'metric', 'generation', 'record', 'judged_at'])
    .where('rollout_id', '=', rollout.id)
    .where('verdict', '=', 'breach')
    .where('segment', '<>', POOLED_SEGMENT)
    .orderBy('generation')
    .execute();
  return rows.map(({ record, judged_at: at, ...named }) => ({
    ...named,
    at,
    day: daysAt(rollout, at),
    because: breachText(record as VerdictRecord),
    fired: firedBy(record as VerdictRecord),
  }));
}

type Count = { generation: number; day: number; events: number; harms: number; known: number };

/** A process goes on through generations until it fires; the next generation begins another. */
function processesOf(
  counts: readonly Count[],
  breaches: readonly Breach[],
  limit: number,
  alpha: number,
): ProcessView[] {
  const ends = [...breaches.map(({ generation }) => generation), Number.POSITIVE_INFINITY];
  return ends.flatMap((end, at): ProcessView[] => {
    const begin = ends[at - 1] ?? 0;
    const own = counts.filter(({ generation }) => generation > begin && generation <= end);
    if (own.length === 0) return [];
    const breach = breaches[at];
    return [
      {
        generation: Math.max(...own.map(({ generation }) => generation)),
        days: seriesOf(own, limit, alpha),
        breach: breach ? { day: breach.day, at: breach.at, because: breach.because } : null,
      },
    ];
  });
}

async function buildsOf(db: Sql, rollout: RolloutRecord): Promise<RolloutReport['builds']> {
  const rows = await db
    .selectFrom('day_count')
    .select(({ fn }) => ['build', fn.min<number>('day').as('fromDay')])
    .where('rollout_id', '=', rollout.id)
    .where('arm', '=', 'candidate')
    .groupBy('build')
    .orderBy('fromDay')
    .orderBy('build')
    .execute();
  return rows.map(({ build, fromDay }) => ({ version: build, fromDay }));
}

async function timeline(db: Sql, rollout: RolloutRecord): Promise<TimelineItem[]> {
  const entries = await readLog(db, { ref: rollout.id, limit: TIMELINE_MAX, newestFirst: true });
  return timelineOf(entries.toReversed(), (at) => daysAt(rollout, at));
}
