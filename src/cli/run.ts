import { CommanderError } from 'commander';
import { Cli } from './cli.ts';
import { exitNumber } from './exit-codes.ts';
import { asCliError, type CliError, failureJson, failureText } from './failure.ts';
import type { CliIo } from './io.ts';
import { buildProgram } from './program.ts';
import { plain } from './text/render.ts';

/** Runs one command; `argv` is what follows the program's name. Returns the exit code and never throws. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  const cli = new Cli(io);
  const program = buildProgram(cli);
  if (argv.length === 0) {
    program.outputHelp();
    return exitNumber('ok');
  }
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitNumber(cli.exit);
  } catch (error) {
    // Commander has printed its own: help and version are no failures, the rest is wrong usage.
    if (error instanceof CommanderError) return exitNumber(error.exitCode === 0 ? 'ok' : 'usage');
    if (isPromptClosed(error)) return exitNumber('refused');
    const failure = asCliError(error);
    io.err(`${told(failure, cli.json)}\n`);
    return exitNumber(failure.exit);
  }
}

const told = (failure: CliError, json: boolean): string =>
  json ? JSON.stringify(failureJson(failure)) : plain(failureText(failure));

/** Ctrl-C at a question. */
const isPromptClosed = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ExitPromptError';
