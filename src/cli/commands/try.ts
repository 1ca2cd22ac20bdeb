import { type Cli, collect, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { jsonObject } from '../input.ts';

export interface TryOptions {
  tool: string;
  args: string;
  subject: string;
  attribute?: string[];
  context?: string;
}

/** `portcullis try`. */
export const registerTry: RegisterCommands = (program, cli) => {
  const command = program
    .command('try')
    .summary('what manifests would answer to one call, offline')
    .description(
      'Decides one call by an agent and a release manifest as the service would, with the release in force everywhere, and says why. Needs no service. Exit code 0: allowed, 1: denied, 6: a person is asked.',
    )
    .argument('<file...>', 'the manifest of the agent and one of a release')
    .requiredOption('--tool <tool>', 'the tool')
    .option('--args <json>', 'its arguments, or @file', '{}')
    .option('--attribute <name=value>', 'a trusted attribute of the request, may be repeated', collect)
    .option('--context <json>', 'what the agent itself claims, or @file')
    .option('--subject <text>', 'the conversation or customer it is about', 'cli')
    .action((files: string[], options: TryOptions) => runTry(cli, files, options));
  withExample(
    command,
    `portcullis try agent.yaml release-1.yaml --tool send_email --args '{"to": "ana@example.org", "subject": "Hello"}'`,
  );
};

async function runTry(cli: Cli, files: readonly string[], options: TryOptions): Promise<void> {
  const { readManifests } = await import('../manifests.ts');
  const { tryCall } = await import('../../domain/decision/try-call.ts');
  const { attributesOf } = await import('../attributes.ts');
  const { triedText } = await import('../text/tried-text.ts');
  const { agents, releases } = await readManifests(files, cli.io.cwd, async () => undefined);
  const [agent, release] = [agents[0]?.value, releases[0]?.value];
  if (!agent || !release || agents.length + releases.length > 2)
    throw new CliError('usage', 'Give the manifest of one agent and one release of it', {
      hint: 'portcullis try agent.yaml release-1.yaml --tool <tool>',
    });
  const { tool, subject } = options;
  const tried = tryCall(agent, release, {
    tool,
    subject,
    args: await jsonObject('--args', options.args, cli.io.cwd),
    attributes: attributesOf(options.attribute ?? [], agent.attributes),
    claimed: options.context ? await jsonObject('--context', options.context, cli.io.cwd) : {},
  });
  cli.exit = { allowed: 'ok', pending: 'unfinished', denied: 'refused' }[tried.outcome] as typeof cli.exit;
  cli.print(tried, () => triedText(tried, cli.io.columns));
}
