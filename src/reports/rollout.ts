import type { Sql } from '../db/database.ts';
import {
  type Companions,
  dryWeight,
  POOLED_SEGMENT,
  thresholdLogE,
  withCompanions,
} from '../domain/evidence/alpha.ts';
import { breachText, firedBy } from '../domain/evidence/facts.ts';
import { type SeriesDay, seriesOf, sumSeriesOf } from '../domain/evidence/series.ts';
import { type Cost, costOf } from '../domain/rates.ts';
import { readLog } from '../log/read.ts';
import { manifestOf } from '../records/manifest.ts';
import { ratesOf } from '../records/rates.ts';
import { type RolloutRecord, rolloutById } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import { sumDaysOf } from '../rollouts/evidence.ts';
import { pricedOf } from '../rollouts/priced.ts';
import { processesOf } from '../rollouts/processes.ts';
import { SOURCE_BUILD } from '../rollouts/read-sources.ts';
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

/** When something was taken back, in days since the start too, and why. */
export interface BreachView {
  day: number;
  at: Date;
  because: string;
}

/** One process of the rate: from its first event to when it fired, or to now. */
export interface ProcessView {
  generation: number;
  days: SeriesDay[];
  firedOnDay: number | null;
}

/** One guardrail in one segment. */
export interface EvidenceView {
  segment: string;
  metric: string;
  /** The business metric it stands for, in the owners' words. */
  business: string;
  unit: string;
  /** Of harm or, of a sum, of the mean. */
  limit: number;
  /** Where higher is better, what the release says. */
  atLeast: number | null;
  isSum: boolean;
  reason: string;
  /** What E must reach; null: it only reports. */
  trigger: number | null;
  /** Of one that only reports: the day on which it would have taken back; null: on none, or it acts. */
  wouldOnDay: number | null;
  verdict: string;
  moreNeeded: number | null;
  /** What its harm costs so far, or what it comes to; null where no rate is declared. */
  cost: Cost | null;
  /** By the rate, or by its companion. */
  breaches: BreachView[];
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
  const counts = await countsOf(db, rollout);
  return {
    rollout: status,
    reason: rollout.reason,
    alpha: plan.alpha,
    signedOffBy: plan.signedOffBy,
    escalation: plan.escalation,
    asOf,
    atDay: daysAt(rollout, asOf),
    exposures: await exposuresOf(db, rollout, asOf),
    evidence: await evidenceOf(db, rollout, status, counts),
    builds: buildsOf(counts),
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

interface Count {
  segment: string;
  metric: string;
  build: string;
  generation: number;
  day: number;
  events: number;
  harms: number;
  known: number;
}

function countsOf(db: Sql, rollout: RolloutRecord): Promise<Count[]> {
  return db
    .selectFrom('day_count')
    .select(['segment', 'metric', 'build', 'generation', 'day', 'events', 'harms', 'known'])
    .where('rollout_id', '=', rollout.id)
    .where('arm', '=', 'candidate')
    .orderBy('day')
    .orderBy('build')
    .execute();
}

async function evidenceOf(
  db: Sql,
  rollout: RolloutRecord,
  status: RolloutStatusView,
  counts: readonly Count[],
): Promise<EvidenceView[]> {
  const { guardrails, alpha } = rollout.plan;
  const { metrics } = await manifestOf(db, rollout.agent);
  const fired = await breachesOf(db, rollout);
  const sums = await sumsOf(db, rollout);
  const rates = await ratesOf(db, rollout.agent);
  return status.segments.flatMap(({ segment, verdicts }) =>
    guardrails.flatMap((guardrail): EvidenceView[] => {
      const { metric, reason, atLeast = null } = guardrail;
      const ofBoth = (one: { segment: string; metric: string }) =>
        one.segment === segment && one.metric === metric;
      const ofSegment = (one: { segment: string }) => one.segment === segment;
      const own = counts.filter(ofBoth);
      if (own.length === 0) return [];
      const { rate, count, control } = processesOf(rollout, guardrail, segment);
      const { limit, weight, baselineThin } = rate;
      const latest = verdicts.find((verdict) => verdict.metric === metric);
      const { business = '', unit = '' } = metrics[metric] ?? {};
      const breaches = fired.filter(ofBoth);
      const reportsOnly = guardrail.action === 'report' && !baselineThin;
      const processes =
        processesIn(sums.get(metric)?.filter(ofSegment), breaches, sumSeriesOf) ??
        processesIn(own, breaches, (counts) => seriesOf(counts, limit, alpha)) ??
        [];
      return [
        {
          ...{ segment, metric, business, unit, limit, atLeast, reason, isSum: sums.has(metric) },
          verdict: latest?.verdict ?? 'no-data',
          moreNeeded: latest?.moreNeeded ?? null,
          cost: costOf(rates, metric, pricedOf(rollout, own, sums.get(metric)?.filter(ofSegment))) ?? null,
          trigger: weight > 0 && !baselineThin ? 1 / (alpha * weight) : null,
          breaches: breaches.map(({ day, at, because }) => ({ day, at, because })),
          processes,
          wouldOnDay: reportsOnly
            ? wouldOn(rollout, guardrail.metric, processes, {
                counted: count !== undefined,
                compared: control !== undefined,
              })
            : null,
        },
      ];
    }),
  );
}

async function sumsOf(db: Sql, rollout: RolloutRecord) {
  const days = new Map<string, Awaited<ReturnType<typeof sumDaysOf>>>();
  for (const metric of Object.keys(rollout.plan.sums ?? {}))
    days.set(metric, await sumDaysOf(db, rollout, metric, POOLED_SEGMENT));
  return days;
}

interface Breach extends BreachView {
  segment: string;
  metric: string;
  generation: number;
  byRate: boolean;
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
    byRate: firedBy(record as VerdictRecord).includes('rate'),
  }));
}

/** A process goes on through generations until it fires, and not when its companion does; the next generation begins another. */
function processesIn<Day extends { generation: number }>(
  counts: readonly Day[] | undefined,
  breaches: readonly Breach[],
  seriesOfProcess: (own: readonly Day[]) => SeriesDay[],
): ProcessView[] | undefined {
  if (counts === undefined) return undefined;
  const ends = [...breaches.filter(({ byRate }) => byRate), undefined];
  return ends.flatMap((end, at): ProcessView[] => {
    const begin = ends[at - 1]?.generation ?? 0;
    const last = end?.generation ?? Number.POSITIVE_INFINITY;
    const own = counts.filter(({ generation }) => generation > begin && generation <= last);
    if (own.length === 0) return [];
    return [
      {
        generation: Math.max(...own.map(({ generation }) => generation)),
        days: seriesOfProcess(own),
        firedOnDay: end?.day ?? null,
      },
    ];
  });
}

/** With the weight that it would have if it acted. */
function wouldOn(
  { plan }: RolloutRecord,
  metric: string,
  processes: readonly ProcessView[],
  companions: Companions,
): number | null {
  const segments = new Set(
    plan.shares.map(({ segment }) => segment).filter((name) => name !== POOLED_SEGMENT),
  );
  const { rate } = withCompanions(dryWeight(plan.guardrails, metric, segments.size), companions);
  const threshold = thresholdLogE(plan.alpha, rate);
  const days = processes.flatMap((process) => process.days);
  return days.find(({ logE }) => logE >= threshold)?.day ?? null;
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
