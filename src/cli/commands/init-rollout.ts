import type { Command } from 'commander';
import { Option } from 'commander';
import type { TemplateName } from '../../domain/rollout/templates.ts';
import { type Cli, realNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import type { WirePast, WireTraffic } from '../wire.ts';

interface InitOptions {
  template: TemplateName;
  days: string;
  alpha: string;
}

/** `portcullis rollout init`. */
export function registerInitRollout(rollout: Command, cli: Cli): void {
  const init = rollout
    .command('init')
    .summary('write the rollout of a release from a template')
    .description(
      'Prints the "rollout" of a release for an agent: steps from a template, samples by the traffic that was recorded, limits by what its metrics were before. Read it, change it, put it into the manifest of the release; rollout simulate says what it would find.',
    )
    .argument('<agent>', 'the agent, as it is applied')
    .addOption(
      new Option('--template <name>', 'standard-90, or cautious-90 with smaller steps')
        .choices(['standard-90', 'cautious-90'])
        .default('standard-90'),
    )
    .option('--days <n>', 'how long all of it takes, 3 to 365', '90')
    .option('--alpha <share>', 'the chance of any false rollback in its whole life', '0.05')
    .action((agent: string, options: InitOptions) => runInit(cli, agent, options));
  withExample(init, 'portcullis rollout init airline-desk --template cautious-90');
}

async function runInit(cli: Cli, name: string, { template, ...options }: InitOptions): Promise<void> {
  const { lookUpAgent } = await import('../apply-manifests.ts');
  const { TEMPLATES, rolloutFrom } = await import('../../domain/rollout/templates.ts');
  const [days, alpha] = [realNumber('--days', options.days), realNumber('--alpha', options.alpha)];
  if (!(days >= 3 && days <= 365)) throw new CliError('usage', '--days is from 3 to 365');
  if (!(alpha > 0 && alpha <= 0.5)) throw new CliError('usage', '--alpha is above 0 and at most 0.5');
  const agent = await lookUpAgent(cli.api, name);
  if (!agent)
    throw new CliError('usage', `There is no agent "${name}"`, {
      hint: 'Apply its manifest first: portcullis apply agent.yaml',
    });
  const path = `/v1/agents/${encodeURIComponent(name)}`;
  const traffic = await cli.api.get<WireTraffic>(`${path}/traffic?days=30`);
  const { windows } = await cli.api.get<WirePast>(`${path}/past-counts`);
  const yaml = rolloutFrom(agent, {
    template,
    days,
    alpha,
    traffic: (segment) =>
      traffic.segments.find((one) => one.segment === segment && one.tool === null)?.subjectsADay ?? 0,
    recorded: (metric) => {
      const past = windows.filter((window) => window.metric === metric && window.arm === 'control');
      const counted = past.flatMap((window) => window.days);
      return {
        events: counted.reduce((sum, day) => sum + day.events, 0),
        harms: counted.reduce((sum, day) => sum + day.harms, 0),
      };
    },
  });
  const { version } = TEMPLATES[template];
  cli.print({ agent: name, template, version, parameters: { days, alpha }, yaml }, () => yaml.trimEnd());
}
