import type { Agent } from '../domain/agent.ts';
import { type ForecastPlan, limitIn } from '../domain/evidence/forecast.ts';
import { countsAt } from '../domain/evidence/forecast-baseline.ts';
import type { Harm } from '../domain/evidence/forecast-play.ts';
import type { Supposing } from '../domain/rollout/forecast-plan.ts';
import { CliError } from './failure.ts';
import type { WireTraffic } from './wire.ts';

/** What is supposed of the release in force: what is given, else what its last locked baseline measured, else `usual`, of a sum that part of its cap. */
export const supposingOf =
  (
    { metrics }: Agent,
    given: ReadonlyMap<string, number>,
    recorded: WireTraffic['baselines'],
    usual: number,
  ): Supposing =>
  (segment, metric) => {
    const { kind, cap } = metrics[metric] ?? {};
    const most = kind === 'sum' ? cap : undefined;
    const level = given.get(metric);
    if (level !== undefined) return { by: 'given', counts: countsAt(level, most) };
    const found = recorded.find((one) => one.segment === segment && one.metric === metric);
    const known = found && (most === undefined || found.values !== undefined);
    if (known) return { by: 'recorded', rollout: found.rollout, counts: found };
    return { by: 'default', counts: countsAt(usual * (most ?? 1), most) };
  };

/** @throws CliError `usage` where harm is to be played that nothing limits */
export function refuseUnlimited(plan: ForecastPlan, harms: readonly Harm[]): void {
  for (const { segment, metric } of harms) {
    const guardrail = plan.guardrails.find((one) => one.metric === metric);
    if (guardrail && limitIn(guardrail, segment) === null)
      throw new CliError(
        'usage',
        `--harm: "${metric}" has no limit in ${segment}: its baseline would be too thin`,
        {
          hint: 'Give it more days (baseline of the rollout) or traffic, or a limit of its own',
        },
      );
  }
}
