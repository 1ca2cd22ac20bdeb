import type { Sql } from '../db/database.ts';
import type { Arm } from '../domain/decision.ts';
import { durationMs } from '../domain/duration.ts';
import {
  type Companions,
  dryWeight,
  POOLED_SEGMENT,
  thresholdLogE,
  withCompanions,
} from '../domain/evidence/alpha.ts';
import type { Beside } from '../domain/evidence/beside.ts';
import { breachText, firedBy } from '../domain/evidence/facts.ts';
import { type SeriesDay, seriesOf, sumSeriesOf } from '../domain/evidence/series.ts';
import { type Trend, trendOf } from '../domain/evidence/trend.ts';
import { type Cost, costOf } from '../domain/rates.ts';
import { manifestOf } from '../records/manifest.ts';
import { ratesOf } from '../records/rates.ts';
import { daysAt, type RolloutRecord } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import { sumDaysOf } from '../rollouts/evidence.ts';
import { pricedOf } from '../rollouts/priced.ts';
import { processesOf } from '../rollouts/processes.ts';
import type { RolloutStatusView } from '../rollouts/status.ts';

/** When something was taken back, in days since the start too, and why. */
export interface BreachView {
  day: number;
  at: Date;
  because: string;
  /** The release holds on it: nothing was taken back by it. */
  held: boolean;
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
  isRatio: boolean;
  reason: string;
  /** What E must reach; null: it only reports. */
  trigger: number | null;
  /** Of one that only reports: the day on which it would have taken back; null: on none, or it acts. */
  wouldOnDay: number | null;
  verdict: string;
  moreNeeded: number | null;
  /** What its harm costs so far, or what it comes to; null where no rate is declared. */
  cost: Cost | null;
  /** What it did lately beside the same weekdays before the release; null of a sum, and where there is no before. */
  trend: Trend | null;
  /** Beside the release in force at the same time, where the guardrail compares. */
  beside: Beside | null;
  /** By the rate, or by its companion. */
  breaches: BreachView[];
  processes: ProcessView[];
}

export interface Count {
  segment: string;
  metric: string;
  build: string;
  generation: number;
  day: number;
  events: number;
  harms: number;
  known: number;
}

export function countsOf(db: Sql, rollout: RolloutRecord, arm: Arm): Promise<Count[]> {
  return db
    .selectFrom('day_count')
    .select(['segment', 'metric', 'build', 'generation', 'day', 'events', 'harms', 'known'])
    .where('rollout_id', '=', rollout.id)
    .where('arm', '=', arm)
    .orderBy('day')
    .orderBy('build')
    .execute();
}

export async function evidenceOf(
  db: Sql,
  rollout: RolloutRecord,
  status: RolloutStatusView,
  { counts, before, today }: { counts: readonly Count[]; before: readonly Count[]; today: number },
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
          isRatio: rollout.plan.sums?.[metric]?.perMax !== undefined,
          verdict: latest?.verdict ?? 'no-data',
          moreNeeded: latest?.moreNeeded ?? null,
          cost: costOf(rates, metric, pricedOf(rollout, own, sums.get(metric)?.filter(ofSegment))) ?? null,
          beside: latest && (latest.control || latest.difference) ? besideOf(latest) : null,
          trend: sums.has(metric)
            ? null
            : (trendOf(own, before.filter(ofBoth), ripeDay(rollout, metric, today), weekdayOf(rollout)) ??
              null),
          trigger: weight > 0 && !baselineThin ? 1 / (alpha * weight) : null,
          breaches: breaches.map(({ day, at, because }) => ({
            day,
            at,
            because,
            held: guardrail.on?.breach === 'hold' && guardrail.action === 'rollback',
          })),
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

const besideOf = ({ control, difference }: Beside): Beside => ({
  ...(control && { control }),
  ...(difference && { difference }),
});

/** The last day that is ripe: of later ones nobody may have said yet what came of them, as of those before the release they did. */
const ripeDay = ({ plan }: RolloutRecord, metric: string, today: number): number =>
  today - Math.ceil(durationMs(plan.matureAfter[metric] ?? '1d', plan.dayMs) / plan.dayMs) - 1;

/** Real days have weekdays; shorter ones of a trial are seven a week too. */
const weekdayOf =
  ({ started_at }: RolloutRecord) =>
  (day: number): number =>
    (started_at.getUTCDay() + day) % 7;

async function sumsOf(db: Sql, rollout: RolloutRecord) {
  const days = new Map<string, Awaited<ReturnType<typeof sumDaysOf>>>();
  for (const metric of Object.keys(rollout.plan.sums ?? {}))
    days.set(metric, await sumDaysOf(db, rollout, metric, POOLED_SEGMENT));
  return days;
}

interface Breach extends Omit<BreachView, 'held'> {
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
  const later = (plan.joined ?? []).map(({ segment }) => segment);
  const segments = new Set(
    plan.shares
      .map(({ segment }) => segment)
      .filter((name) => name !== POOLED_SEGMENT && !later.includes(name)),
  );
  const { rate } = withCompanions(dryWeight(plan.guardrails, metric, segments.size), companions);
  const threshold = thresholdLogE(plan.alpha, rate);
  const days = processes.flatMap((process) => process.days);
  return days.find(({ logE }) => logE >= threshold)?.day ?? null;
}
