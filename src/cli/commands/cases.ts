import type { FormerResult, SuiteResult } from '../../domain/cases/suite.ts';
import { type Cli, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { registerKeptCases } from './cases-kept.ts';

interface TestOptions {
  cases?: string;
  junit?: string;
  since?: string;
}

interface StrengthOptions {
  cases?: string;
  min?: string;
}

/** `portcullis cases`. */
export const registerCases: RegisterCommands = (program, cli) => {
  const cases = program
    .command('cases')
    .summary('what must not happen again, run on a release')
    .description(
      'Regression cases: what is given, and what a person says must come of it. They are files in git and rows of the service; test and strength need neither a network nor a service.',
    );
  const test = cases
    .command('test')
    .summary('run the cases on a release, offline')
    .description(
      'Runs every case of cases/*.yaml beside the release. Needs no service. Exit code 0: all green, 1: one is red, 2: nothing ran, or one cannot be told.',
    )
    .argument('<file...>', 'the release, and its agent where agent.yaml does not stand beside it')
    .option('--cases <folder>', 'where the cases are (default: cases beside the release)')
    .option('--junit <file>', 'write the result as JUnit XML too')
    .option('--since <file>', 'a former result (--output json): a case of it that is missing now is red')
    .action((files: string[], options: TestOptions) => runTest(cli, files, options));
  withExample(test, 'portcullis cases test release-3.yaml --junit cases.xml');
  const strength = cases
    .command('strength')
    .summary('what weakening of a release no case would notice, offline')
    .description(
      'Drops conditions, lets run what asks, widens limits, lets segments in, loosens guardrails and drops redactions, one at a time, and runs the cases on each. Exit code 1: fewer than --min percent were noticed, 2: there was nothing to weaken or no case.',
    )
    .argument('<file...>', 'the release, and its agent where agent.yaml does not stand beside it')
    .option('--cases <folder>', 'where the cases are (default: cases beside the release)')
    .option('--min <percent>', 'so many of a hundred weakenings must be noticed')
    .action((files: string[], options: StrengthOptions) => runStrength(cli, files, options));
  withExample(strength, 'portcullis cases strength release-3.yaml --min 80');
  registerKeptCases(cases, cli);
};

async function runTest(cli: Cli, files: readonly string[], options: TestOptions): Promise<void> {
  const { readCaseFiles } = await import('../case-files.ts');
  const { runSuite } = await import('../../domain/cases/suite.ts');
  const { suiteText } = await import('../text/cases-text.ts');
  const { agent, release, cases } = await readCaseFiles(files, cli.io.cwd, options.cases);
  const before = options.since === undefined ? [] : await formerResults(cli, options.since);
  const suite = runSuite({ agent, release, before }, cases);
  if (options.junit !== undefined) await writeJunit(cli, options.junit, suite);
  cli.exit = exitOfSuite(suite);
  cli.print(suite, () => suiteText(suite, cli.io.columns));
}

/** Nothing that could be told is never a success. */
export function exitOfSuite({ green, red, unevaluable }: SuiteResult): 'ok' | 'refused' | 'usage' {
  if (red > 0) return 'refused';
  return unevaluable > 0 || green === 0 ? 'usage' : 'ok';
}

async function formerResults(cli: Cli, file: string): Promise<FormerResult[]> {
  const { readFile } = await import('node:fs/promises');
  const { resolve } = await import('node:path');
  const { z } = await import('zod');
  const { CASE_VERDICTS } = await import('../../domain/cases/result.ts');
  const former = z.object({
    results: z.array(z.object({ case: z.string(), verdict: z.enum(CASE_VERDICTS) })),
  });
  const text = await readFile(resolve(cli.io.cwd, file), 'utf8');
  const read = former.safeParse(parsed(text));
  if (read.success) return read.data.results;
  throw new CliError('usage', `${file} is no result of cases test`, {
    hint: 'Write it with portcullis --output json cases test release.yaml',
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeJunit(cli: Cli, file: string, suite: SuiteResult): Promise<void> {
  const { writeFile } = await import('node:fs/promises');
  const { resolve } = await import('node:path');
  const { junitOf } = await import('../../domain/cases/junit.ts');
  await writeFile(resolve(cli.io.cwd, file), junitOf(suite));
}

async function runStrength(cli: Cli, files: readonly string[], options: StrengthOptions): Promise<void> {
  const { readCaseFiles } = await import('../case-files.ts');
  const { strengthOf } = await import('../../domain/cases/strength.ts');
  const { strengthText } = await import('../text/cases-text.ts');
  const { agent, release, cases } = await readCaseFiles(files, cli.io.cwd, options.cases);
  const min = options.min === undefined ? 0 : wholeNumber('--min', options.min, 0);
  const strength = strengthOf(agent, release, cases);
  const { noticed, weakenings } = strength;
  if (weakenings === 0 || cases.length === 0) cli.exit = 'usage';
  else if (noticed * 100 < min * weakenings) cli.exit = 'refused';
  cli.print(strength, () => strengthText(strength, cli.io.columns));
}
