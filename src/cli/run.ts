import { CommanderError } from 'commander';
import { Cli } from './cli.ts';
import { COMMAND_NAMES, type CommandFile, namedCommand } from './command-files.ts';
import { exitNumber } from './exit-codes.ts';
import { asCliError, CliError, failureJson, failureText } from './failure.ts';
import type { CliIo } from './io.ts';
import { buildProgram } from './program.ts';
import { plain } from './text/render.ts';

/** Runs one command; `argv` is what follows the program's name. Returns the exit code and never throws. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const cli = new Cli(io, COMMAND_NAMES);
  // Known before anything is parsed: what cannot be parsed is told in the form that was asked for.
  if (asksForJson(argv)) cli.use({ output: 'json' });
  try {
    const program = await buildProgram(cli, isVersion(argv) ? NONE : namedCommand(argv));
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: 'user' });
    return exitNumber(cli.exit);
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitNumber('ok');
    if (isPromptClosed(error)) return exitNumber('refused');
    const failure = error instanceof CommanderError ? usageError(error) : asCliError(error);
    if (cli.json || failure.message !== NAME_A_COMMAND) io.err(`${told(failure, cli)}\n`);
    return exitNumber(failure.exit);
  }
}

const isVersion = (argv: readonly string[]): boolean =>
  argv.length === 1 && (argv[0] === '-V' || argv[0] === '--version');
const NONE: CommandFile = { names: [], load: async () => () => {} };

function asksForJson(argv: readonly string[]): boolean {
  const at = argv.findLastIndex((word) => word === '--output' || word.startsWith('--output='));
  return argv[at] === '--output=json' || (argv[at] === '--output' && argv[at + 1] === 'json');
}

/** A group named without a command: people have seen its help already. */
const NO_COMMAND = 'commander.help';
const NAME_A_COMMAND = 'Name one of the commands of this group';

function usageError({ code, message }: CommanderError): CliError {
  const hint = 'Add --help: it shows what may be written';
  if (code === NO_COMMAND) return new CliError('usage', NAME_A_COMMAND, { hint });
  const [what = '', ...more] = message.replace(/^error: /, '').split('\n');
  return new CliError('usage', [`${what.charAt(0).toUpperCase()}${what.slice(1)}`, ...more].join(' '), {
    hint,
  });
}

const told = (failure: CliError, cli: Cli): string =>
  cli.json ? JSON.stringify(failureJson(failure)) : cli.told(plain(failureText(failure)));

/** Ctrl-C at a question. */
const isPromptClosed = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ExitPromptError';
