import { type RegisterCommands, withExample } from '../cli.ts';
import { releaseFile } from '../release-file.ts';
import { preflightText } from '../text/preflight-text.ts';

/** `portcullis preflight`. */
export const registerPreflight: RegisterCommands = (program, cli) => {
  const command = program
    .command('preflight')
    .summary('what starting a release would say, without starting it')
    .description(
      'Regression cases and what weakening they would notice, waivers, what replay of recorded actions changes, what a rollout could learn, and every problem that a start would refuse it for. Nothing is stored or started. Exit code 1 where it would be refused.',
    )
    .argument('<file>', 'the release manifest')
    .option('--since <period>', 'how far back actions are replayed', '30d')
    .option('--none-yet <why>', 'as start would be told that there is no regression case yet')
    .action(async (file: string, { since, noneYet }: { since: string; noneYet?: string }) => {
      const { preflightOf, rehearsal } = await import('./start-rollout.ts');
      const { forecastText } = await import('../text/forecast-text.ts');
      const { yaml, agent } = await releaseFile(cli, file);
      const preflight = await preflightOf(cli, agent, yaml, { since, noneYet });
      const { oneRelease } = await import('../one-release.ts');
      const { release } = await oneRelease(cli, [file], 'portcullis preflight --help has an example');
      const forecast = await rehearsal(cli, agent, release);
      if (!preflight.ready) cli.exit = 'refused';
      cli.print(
        { ...preflight, forecast },
        () =>
          `${preflightText(preflight, cli.io.columns)}\n\nRehearsal\n${forecastText(forecast, cli.io.columns)}`,
      );
    });
  withExample(command, 'portcullis preflight release-2.yaml');
};
