import type { Agent, Metric } from '../agent.ts';
import { segmentNames } from '../agent.ts';
import { durationMs, REAL_DAY_MS } from '../duration.ts';
import { allotAlpha, POOLED_SEGMENT, sharesOf, weightOf, withCompanions } from '../evidence/alpha.ts';
import { BASELINE_PART, type GuardrailLimit, weightLeft } from '../evidence/baseline.ts';
import { dayLimit } from '../evidence/day-limit.ts';
import { type ForecastGuardrail, type ForecastPlan, limitIn } from '../evidence/forecast.ts';
import { type ForecastBaseline, forecastBaseline, type Supposed } from '../evidence/forecast-baseline.ts';
import type { Values } from '../evidence/forecast-values.ts';
import { harmLimit, PER_MAX } from '../evidence/measure.ts';
import { type Companion, companionsOf } from '../manifest/companions.ts';
import type { Guardrail, Release } from '../release.ts';
import { exposedIn, planSegments, planSteps, type Step } from './steps.ts';

const WHOLE = 10_000;

/** Subject-days a day, of a segment and a tool; no tool: those on which any write was asked for. */
export type Traffic = (segment: string, tool: string | undefined) => number;

/** What the release in force does, as far as anybody says, for the limits that come with the baseline. */
export type Supposing = (segment: string, metric: string) => Supposed | undefined;

/**
 * What a rollout of the release would be judged by, day by day, with the traffic that is expected. A limit that comes with the
 * baseline is that of one with this traffic; where nothing is supposed of it there is none.
 */
export function forecastPlan(
  release: Release,
  agent: Agent,
  traffic: Traffic,
  supposing: Supposing = () => undefined,
): ForecastPlan {
  const { rollout } = release;
  const steps = planSteps(rollout, planSegments(agent));
  const exposed = exposedIn(steps, segmentNames(agent));
  const companions = companionsOf(release, agent, exposed);
  const compared = new Set(rollout.guardrails.flatMap(({ metric, control }) => (control ? metric : [])));
  // Where it has companions, the rate has a part of the weight.
  const shares = allotAlpha({
    guardrails: sharesOf(rollout.guardrails),
    startingSegments: exposed,
  }).map(({ weight, ...one }) => {
    const counted = companions.some(({ metric }) => metric === one.guardrail);
    const isCompared = compared.has(one.guardrail) && one.segment !== POOLED_SEGMENT;
    const { rate, count, control } = withCompanions(weight, { counted, compared: isCompared });
    return { ...one, weight: rate, count, control };
  });
  const limits = new Map(rollout.guardrails.map(({ metric, limit }) => [metric, limit]));
  const open = steps.filter(({ phase }) => phase !== 'baseline');
  return {
    alpha: rollout.alpha,
    guardrails: rollout.guardrails.flatMap((guardrail) => {
      const metric = agent.metrics[guardrail.metric];
      if (metric === undefined || !isForecast(metric, guardrail)) return [];
      const companion = companions.find((one) => one.metric === guardrail.metric);
      const { days } = rollout.baseline;
      return forecastGuardrail(guardrail, metric, {
        ...{ exposed, traffic, days, supposing },
        alpha: (segment) => rollout.alpha * weightOf(shares, guardrail.metric, segment) * BASELINE_PART,
        ...(companion && { companion }),
      });
    }),
    shares: shares.map((one) => ({
      ...one,
      weight: weightLeft(limits.get(one.guardrail) ?? 0, one.weight),
    })),
    days: daysOf(open),
    traffic: (segment, metric) => traffic(segment, agent.metrics[metric]?.tool),
    matureDays: Object.fromEntries(
      rollout.guardrails.map(({ metric }) => [
        metric,
        durationMs(agent.metrics[metric]?.matureAfter ?? '1d') / REAL_DAY_MS,
      ]),
    ),
    okBy: Object.fromEntries(exposed.map((segment) => [segment, okByOf(open, segment)])),
  };
}

/** The guardrails of which nothing can be forecast, and why. */
export const unforecast = ({ rollout }: Release, { metrics }: Agent): { metric: string; because: string }[] =>
  rollout.guardrails.flatMap((guardrail) => {
    const metric = metrics[guardrail.metric];
    if (metric && isForecast(metric, guardrail)) return [];
    return [{ metric: guardrail.metric, because: 'its cap is not above its limit, so nothing exceeds it' }];
  });

const isForecast = ({ kind, cap }: Metric, { limit }: Guardrail): boolean =>
  !(kind === 'sum' && cap !== undefined && typeof limit === 'number' && cap <= limit);

/** What comes of the baseline that is played. */
interface Baseline {
  exposed: readonly string[];
  traffic: Traffic;
  days: number;
  supposing: Supposing;
  /** What its bound may err by in a segment, and in all together. */
  alpha(segment: string): number;
  /** Of a rate that has one. */
  companion?: Companion;
}

function forecastGuardrail(guardrail: Guardrail, metric: Metric, baseline: Baseline): ForecastGuardrail {
  const { companion } = baseline;
  const limits =
    typeof guardrail.limit === 'number'
      ? { limit: harmLimit(metric, guardrail.limit) }
      : { limit: null, baseline: baselinesOf(guardrail.metric, guardrail.limit, metric, baseline) };
  const counted = companion && { ...baseline, companion };
  return {
    metric: guardrail.metric,
    ...limits,
    reportsOnly: guardrail.action === 'report',
    passes: guardrail.on?.inconclusive === 'pass',
    ...valuesOf(metric),
    ...(counted && { perDay: perDayOf(guardrail.metric, (segment) => limitIn(limits, segment), counted) }),
    ...(guardrail.control && { control: guardrail.control }),
  };
}

function valuesOf({ kind, cap, perMax = PER_MAX }: Metric): { values?: Values } {
  if (kind === 'sum') return { values: { kind, ...(cap !== undefined && { cap }) } };
  if (kind === 'ratio') return { values: { kind, perMax, ...(cap !== undefined && { cap }) } };
  return {};
}

/**
 * As it would be locked of the days that are ripe at its end; the limit of a sum is that of whichever process has the least part.
 * All segments together are played by the limits of each: those that they would be judged by are a little wider.
 */
function baselinesOf(
  metric: string,
  { baseline: { margin } }: Exclude<GuardrailLimit, number>,
  { tool, cap, kind, matureAfter }: Metric,
  { exposed, traffic, days, supposing, alpha }: Baseline,
): Record<string, ForecastBaseline> {
  const ripe = Math.max(0, Math.floor(days - durationMs(matureAfter) / REAL_DAY_MS));
  const pooled = alpha(POOLED_SEGMENT) / Math.max(1, exposed.length);
  return Object.fromEntries(
    exposed.flatMap((segment) => {
      const supposed = supposing(segment, metric);
      if (supposed === undefined) return [];
      const events = Math.round(traffic(segment, tool) * ripe);
      const isSum = kind === 'sum';
      const part = isSum ? Math.min(alpha(segment), pooled) : alpha(segment);
      const locking = { events, margin, alpha: part, ...(isSum && { cap }) };
      return [[segment, forecastBaseline(supposed, locking)]];
    }),
  );
}

/** What is declared or, where nothing is, what a baseline with this traffic would measure. */
function perDayOf(
  metric: string,
  limitOf: (segment: string) => number | null,
  { companion: { tool, declared }, exposed, traffic, days }: Baseline & { companion: Companion },
): Record<string, number> {
  return Object.fromEntries(
    exposed.flatMap((segment) => {
      const writes = Math.round(traffic(segment, tool) * days);
      const volume = { segment, metric, writes, unasked: 0, days };
      const { perDay } = dayLimit(volume, limitOf(segment) ?? undefined, declared[segment]);
      return perDay === null ? [] : [[segment, perDay]];
    }),
  );
}

/** The exposure of each day; a day that two steps share is of the later one. */
function daysOf(steps: readonly Step[]): Record<string, number>[] {
  const from = steps[0]?.fromDay ?? 0;
  const count = Math.round((steps.at(-1)?.toDay ?? from) - from);
  return Array.from({ length: count }, (_, day) => {
    const at = from + day;
    const step = steps.findLast(({ fromDay }) => fromDay <= at) ?? steps[0];
    return Object.fromEntries(
      Object.entries(step?.exposure ?? {}).map(([segment, exposure]) => [segment, exposure / WHOLE]),
    );
  });
}

/** The last day of the first step that is left only when every exposed segment is `ok`. */
function okByOf(steps: readonly Step[], segment: string): number | undefined {
  const from = steps[0]?.fromDay ?? 0;
  const gated = steps.find(({ gate, exposure }) => gate.verdicts === 'ok' && (exposure[segment] ?? 0) > 0);
  return gated && Math.max(0, Math.round(gated.toDay - from) - 1);
}
