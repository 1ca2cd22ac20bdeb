import { segmentNames } from '../agent.ts';
import { allotAlpha, sharesOf, thresholdLogE, weightOf } from '../evidence/alpha.ts';
import { seriesOf } from '../evidence/series.ts';
import type { Guardrail } from '../release.ts';
import type { RegressionCase } from './case.ts';
import { type Finding, green, notApplicable, red, unevaluable } from './result.ts';
import type { CaseWorld } from './world.ts';

/**
 * On which day the guardrail of the metric takes back, given what each day counted: the process of one segment that is there
 * from the start, at the weight that the release's guardrails leave it (STATISTICS 4.5, 4.6).
 */
export function runSeries({ given, expect }: RegressionCase, world: CaseWorld): Finding {
  const metric = given.metric ?? '';
  const { rollout } = world.release.release;
  const guardrail = rollout.guardrails.find((one) => one.metric === metric);
  if (!Object.hasOwn(world.agent.agent.metrics, metric))
    return notApplicable(`The agent has no metric "${metric}"`);
  const forbids = expect.breachBy !== undefined;
  if (guardrail === undefined)
    return (forbids && runsUnasked(world) ? red : notApplicable)(`No guardrail holds "${metric}"`);
  if (guardrail.action === 'report') return outcome(undefined, expect, `"${metric}" only reports`);
  if (typeof guardrail.limit !== 'number')
    return unevaluable(`The limit of "${metric}" is against a baseline, which no release has by itself`);
  const kind = world.agent.agent.metrics[metric]?.kind;
  if (kind === 'sum' || kind === 'ratio')
    return unevaluable(`"${metric}" is a ${kind}: its days are no counts`);
  const days = (given.days ?? []).map((day) => ({ ...day, known: day.events }));
  const weight = weightIn(rollout.guardrails, metric, segmentNames(world.agent.agent));
  const threshold = thresholdLogE(rollout.alpha, weight);
  const breach = seriesOf(days, guardrail.limit, rollout.alpha).find(({ logE }) => logE >= threshold);
  return outcome(breach?.day, expect, `limit ${guardrail.limit}, alpha ${rollout.alpha}`);
}

/** Whether a write may run with nobody asked: a release of which none does has nothing that a guardrail takes back. */
const runsUnasked = ({ agent, release }: CaseWorld): boolean =>
  [...release.grants].some(
    ([tool, grants]) =>
      agent.tools.get(tool)?.write !== false &&
      grants.some(
        ({ grant, approval, unless, rules }) =>
          grant.deny === undefined &&
          (approval === undefined ||
            unless !== undefined ||
            rules.some(({ rule }) => rule.answer === 'approve')),
      ),
  );

function weightIn(guardrails: readonly Guardrail[], metric: string, segments: readonly string[]): number {
  const weights = allotAlpha({ guardrails: sharesOf(guardrails), startingSegments: segments });
  return weightOf(weights, metric, segments[0] ?? '');
}

function outcome(day: number | undefined, { breachBy }: RegressionCase['expect'], with_: string): Finding {
  const said = day === undefined ? `It never breaches (${with_})` : `It breaches on day ${day} (${with_})`;
  if (breachBy === undefined) return day === undefined ? green(said) : red(`${said}, and never should`);
  return day !== undefined && day <= breachBy ? green(said) : red(`${said}, not by day ${breachBy}`);
}
