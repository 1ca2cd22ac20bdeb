import type { Agent, Metric } from '../agent.ts';
import { segmentNames } from '../agent.ts';
import { durationMs, REAL_DAY_MS } from '../duration.ts';
import { allotAlpha, POOLED_SEGMENT, sharesOf, withCompanions } from '../evidence/alpha.ts';
import { dayLimit } from '../evidence/day-limit.ts';
import type { ForecastGuardrail, ForecastPlan } from '../evidence/forecast.ts';
import type { Values } from '../evidence/forecast-values.ts';
import { harmLimit, PER_MAX } from '../evidence/measure.ts';
import { type Companion, companionsOf } from '../manifest/companions.ts';
import type { Guardrail, Release } from '../release.ts';
import { exposedIn, planSegments, planSteps, type Step } from './steps.ts';

const WHOLE = 10_000;

/** Subject-days a day, of a segment and a tool; no tool: those on which any write was asked for. */
export type Traffic = (segment: string, tool: string | undefined) => number;

/** What a rollout of the release would be judged by, day by day, with the traffic that is expected. */
export function forecastPlan(release: Release, agent: Agent, traffic: Traffic): ForecastPlan {
  const { rollout } = release;
  const steps = planSteps(rollout, planSegments(agent));
  const exposed = exposedIn(steps, segmentNames(agent));
  const companions = companionsOf(release, agent, exposed);
  const compared = new Set(rollout.guardrails.flatMap(({ metric, control }) => (control ? metric : [])));
  const shares = allotAlpha({ guardrails: sharesOf(rollout.guardrails), startingSegments: exposed });
  const open = steps.filter(({ phase }) => phase !== 'baseline');
  return {
    alpha: rollout.alpha,
    guardrails: rollout.guardrails.flatMap((guardrail) => {
      const metric = agent.metrics[guardrail.metric];
      if (metric === undefined || !isForecast(metric, guardrail)) return [];
      const companion = companions.find((one) => one.metric === guardrail.metric);
      return forecastGuardrail(
        guardrail,
        metric,
        companion && { companion, exposed, traffic, days: rollout.baseline.days },
      );
    }),
    // Where it has companions, the rate has a part of the weight.
    shares: shares.map(({ weight, ...one }) => {
      const counted = companions.some(({ metric }) => metric === one.guardrail);
      const isCompared = compared.has(one.guardrail) && one.segment !== POOLED_SEGMENT;
      const { rate, count, control } = withCompanions(weight, { counted, compared: isCompared });
      return { ...one, weight: rate, count, control };
    }),
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
    const because =
      typeof guardrail.limit === 'number'
        ? 'its cap is not above its limit, so nothing exceeds it'
        : 'its limit comes with the baseline';
    return [{ metric: guardrail.metric, because }];
  });

type Played = Guardrail & { limit: number };

const isForecast = ({ kind, cap }: Metric, guardrail: Guardrail): guardrail is Played =>
  typeof guardrail.limit === 'number' && !(kind === 'sum' && cap !== undefined && cap <= guardrail.limit);

interface Counted {
  companion: Companion;
  exposed: readonly string[];
  traffic: Traffic;
  /** Of the baseline. */
  days: number;
}

function forecastGuardrail(
  guardrail: Played,
  metric: Metric,
  counted: Counted | undefined,
): ForecastGuardrail {
  const limit = harmLimit(metric, guardrail.limit);
  return {
    metric: guardrail.metric,
    limit,
    reportsOnly: guardrail.action === 'report',
    passes: guardrail.on?.inconclusive === 'pass',
    ...valuesOf(metric),
    ...(counted && { perDay: perDayOf(guardrail.metric, limit, counted) }),
    ...(guardrail.control && { control: guardrail.control }),
  };
}

function valuesOf({ kind, cap, perMax = PER_MAX }: Metric): { values?: Values } {
  if (kind === 'sum') return { values: { kind, ...(cap !== undefined && { cap }) } };
  if (kind === 'ratio') return { values: { kind, perMax, ...(cap !== undefined && { cap }) } };
  return {};
}

/** What is declared or, where nothing is, what a baseline with this traffic would measure. */
function perDayOf(
  metric: string,
  limit: number,
  { companion: { tool, declared }, exposed, traffic, days }: Counted,
): Record<string, number> {
  return Object.fromEntries(
    exposed.flatMap((segment) => {
      const writes = Math.round(traffic(segment, tool) * days);
      const { perDay } = dayLimit({ segment, metric, writes, unasked: 0, days }, limit, declared[segment]);
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
