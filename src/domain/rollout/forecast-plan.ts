import type { Agent } from '../agent.ts';
import { segmentNames } from '../agent.ts';
import { durationMs, REAL_DAY_MS } from '../duration.ts';
import { allotAlpha, POOLED_SEGMENT, sharesOf, withCompanions } from '../evidence/alpha.ts';
import type { GuardrailLimit } from '../evidence/baseline.ts';
import type { ForecastPlan } from '../evidence/forecast.ts';
import { harmLimit, isWeighed } from '../evidence/measure.ts';
import { companionsOf } from '../manifest/companions.ts';
import type { Release } from '../release.ts';
import { planSegments, planSteps, type Step } from './steps.ts';

const WHOLE = 10_000;

/** Subject-days a day, of a segment and a tool; no tool: those on which any write was asked for. */
export type Traffic = (segment: string, tool: string | undefined) => number;

/** What a rollout of the release would be judged by, day by day, with the traffic that is expected. */
export function forecastPlan(release: Release, agent: Agent, traffic: Traffic): ForecastPlan {
  const { rollout } = release;
  const steps = planSteps(rollout, planSegments(agent));
  const exposed = segmentNames(agent).filter((segment) =>
    steps.some((step) => (step.exposure[segment] ?? 0) > 0),
  );
  const counted = new Set(companionsOf(release, agent, exposed).map(({ metric }) => metric));
  const compared = new Set(rollout.guardrails.flatMap(({ metric, control }) => (control ? metric : [])));
  const shares = allotAlpha({ guardrails: sharesOf(rollout.guardrails), startingSegments: exposed });
  const open = steps.filter(({ phase }) => phase !== 'baseline');
  return {
    alpha: rollout.alpha,
    guardrails: rollout.guardrails.flatMap(({ metric, limit, action }) =>
      isForecast(agent, metric, limit)
        ? { metric, limit: harmLimitOf(agent, metric, limit), reportsOnly: action === 'report' }
        : [],
    ),
    // Where it has companions, the rate has a part of the weight.
    shares: shares.map((one) => ({
      ...one,
      weight: withCompanions(one.weight, {
        counted: counted.has(one.guardrail),
        compared: compared.has(one.guardrail) && one.segment !== POOLED_SEGMENT,
      }).rate,
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
export const unforecast = ({ rollout }: Release, agent: Agent): { metric: string; because: string }[] =>
  rollout.guardrails.flatMap(({ metric, limit }) => {
    if (isForecast(agent, metric, limit)) return [];
    const because =
      typeof limit === 'number' ? 'how its values lie is not known' : 'its limit comes with the baseline';
    return [{ metric, because }];
  });

const isForecast = (agent: Agent, metric: string, limit: GuardrailLimit): limit is number =>
  typeof limit === 'number' && !isWeighed(agent.metrics[metric] ?? { kind: 'any' });

function harmLimitOf({ metrics }: Agent, name: string, limit: number): number {
  const metric = metrics[name];
  return metric ? harmLimit(metric, limit) : limit;
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
