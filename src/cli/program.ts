import { Command, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { Cli, GlobalOptions } from './cli.ts';
import { COMMAND_GROUPS, type CommandFile } from './command-files.ts';
import { DEFAULT_URL } from './connection.ts';
import { exitCodeHelp } from './exit-codes.ts';
import { WIDTH } from './text/render.ts';

/**
 * The commands with their help: all of them, or those of one file, because loading the rest takes longer than most of
 * them run. Nothing runs before `parseAsync`.
 */
export async function buildProgram(cli: Cli, only?: CommandFile): Promise<Command> {
  const program = new Command('portcullis')
    .description('Governs what an AI agent may do with its tools: rises slowly, falls fast.')
    .version(packageJson.version, '-V, --version')
    .addOption(
      new Option('--output <format>', 'how answers are printed').choices(['table', 'json']).default('table'),
    )
    .option('--url <url>', `where the service is (PORTCULLIS_URL; default ${DEFAULT_URL})`)
    .option('--token <token>', 'who asks (PORTCULLIS_TOKEN; else the file an embedded up writes)')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => cli.io.out(cli.told(text)),
      writeErr: (text) => void (cli.json || cli.io.err(cli.told(text))),
      // Told by run.ts, like every other failure.
      outputError: () => {},
      getOutHelpWidth: () => WIDTH,
      getErrHelpWidth: () => WIDTH,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .hook('preAction', (_, command) => cli.use(command.optsWithGlobals<GlobalOptions>()));
  for (const [heading, files] of COMMAND_GROUPS) {
    program.commandsGroup(heading);
    for (const file of files) {
      if (only !== undefined && file !== only) continue;
      const register = await file.load();
      register(program, cli);
    }
  }
  program.commandsGroup('Help:').helpCommand('help [command]', 'what a command does, with an example');
  program.addHelpText(
    'after',
    `\nExample, from nothing to a first governed tool:
  $ portcullis init
  $ portcullis up                # in another terminal
  $ portcullis apply agent.yaml release-1.yaml

Exit codes (docs/exit-codes.md):
${exitCodeHelp()}`,
  );
  return program;
}
