import type { Agent } from '../../domain/agent.ts';
import type { Release } from '../../domain/release.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import type { BacktestShown } from '../text/backtest-text.ts';
import type { WirePast } from '../wire.ts';

/** `portcullis guardrail`. */
export const registerGuardrail: RegisterCommands = (program, cli) => {
  const guardrail = program
    .command('guardrail')
    .summary('try guardrails on what happened')
    .description(
      'Before a guardrail may take anything back, see what it would have made of what was counted.',
    );
  const command = guardrail
    .command('backtest')
    .summary('play the guardrails of a release over past windows')
    .description(
      'Plays each guardrail of the release, with the weight it would have, over what the last rollouts of the agent counted by day: the candidates, and the releases in force beside them. One that would have taken back what was fine is too strict; one that would have let pass what was not is too loose. Nothing is changed.',
    )
    .argument('<file...>', 'the manifest of a release, and of its agent if it is not applied')
    .option('--metric <name>', 'only the guardrail on this metric')
    .action((files: string[], options: { metric?: string }) => runBacktest(cli, files, options));
  withExample(command, 'portcullis guardrail backtest release-2.yaml');
};

async function runBacktest(
  cli: Cli,
  files: readonly string[],
  { metric }: { metric?: string },
): Promise<void> {
  const { oneRelease } = await import('../one-release.ts');
  const { backtestText } = await import('../text/backtest-text.ts');
  const { release, agent } = await oneRelease(cli, files, 'portcullis guardrail backtest release-2.yaml');
  const names = release.rollout.guardrails.map((guardrail) => guardrail.metric);
  if (metric !== undefined && !names.includes(metric))
    throw new CliError('usage', `No guardrail is on "${metric}"`, {
      hint: `There is one on ${names.join(', ')}`,
    });
  const { windows } = await cli.api.get<WirePast>(
    `/v1/agents/${encodeURIComponent(agent.agent)}/past-counts`,
  );
  const shown = await played(agent, release, windows, metric);
  cli.print(shown, () => backtestText(shown, cli.io.columns));
}

async function played(
  agent: Agent,
  release: Release,
  windows: WirePast['windows'],
  only: string | undefined,
): Promise<BacktestShown> {
  const { backtest } = await import('../../domain/evidence/backtest.ts');
  const { dryWeight, POOLED_SEGMENT } = await import('../../domain/evidence/alpha.ts');
  const { forecastPlan, unforecast } = await import('../../domain/rollout/forecast-plan.ts');
  const plan = forecastPlan(release, agent, () => 0);
  const segments = Object.keys(plan.okBy);
  const rows = plan.guardrails.flatMap(({ metric, limit, reportsOnly, values }) => {
    if (limit === null || values || (only !== undefined && metric !== only)) return [];
    return windows
      .filter((window) => window.metric === metric)
      .map(({ days, metric: _, ...window }) => ({
        metric,
        limit,
        reportsOnly: reportsOnly === true,
        ...window,
        ...backtest(days, {
          limit,
          alpha: plan.alpha,
          // Its part of alpha; of one that only reports what it would have.
          weight:
            plan.shares.find((one) => one.guardrail === metric && one.segment !== POOLED_SEGMENT)?.weight ||
            dryWeight(release.rollout.guardrails, metric, segments.length),
        }),
      }));
  });
  return {
    agent: agent.agent,
    release: release.release,
    alpha: plan.alpha,
    rows,
    notPlayed: [
      ...unforecast(release, agent),
      ...plan.guardrails.flatMap(({ metric, limit, values }) => {
        if (limit === null) return { metric, because: 'its limit comes with the baseline' };
        return values ? { metric, because: 'how its values lie is not known' } : [];
      }),
    ],
  };
}
