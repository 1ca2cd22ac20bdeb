import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Compared } from '../../domain/evidence/compare.ts';
import type { EValue } from '../../domain/evidence/e-value.ts';
import { type Cli, type RegisterCommands, realNumber, wholeNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { formatNumber } from '../text/format.ts';
import { fields, paragraph, sections, table } from '../text/render.ts';

interface EValueOptions {
  limit: string;
  alpha: string;
  events?: string;
  harmful?: string;
  values?: string;
  cap?: string;
}

/** `portcullis stats`. */
export const registerStats: RegisterCommands = (program, cli) => {
  const stats = program.command('stats').summary('weigh figures as a rollback is decided, offline');
  stats.description('The statistics that decide a rollback, for figures of your own. Needs no service.');
  const eValue = stats
    .command('e-value')
    .summary('what a sample says against a limit')
    .description(
      'How strongly a sample speaks against "the mean is at most the limit": a guardrail with the whole of alpha fires when its e-value reaches 1/alpha. It holds however often one looks. The bounds of the mean are one-sided, each at alpha. Give --events and --harmful, or --values.',
    )
    .requiredOption('--limit <mean>', 'a rate of 0 to 1, or a mean of the values')
    .option('--events <n>', 'how many there were')
    .option('--harmful <n>', 'how many of them were harmful')
    .option('--values <file>', 'values of 0 and above instead: one a line, or a JSON array')
    .option('--cap <value>', 'what no value can exceed: only with it is their mean bounded above')
    .option('--alpha <chance>', 'the chance that a bound is ever wrong', '0.05')
    .action((options: EValueOptions) => runEValue(cli, options));
  withExample(
    eValue,
    'portcullis stats e-value --limit 0.02 --events 100 --harmful 5 --output json',
    'portcullis stats e-value --limit 1.5 --values cost.txt --cap 20',
  );
  registerCompare(stats, cli);
};

interface CompareOptions {
  events: string;
  harmful: string;
  controlEvents: string;
  controlHarmful: string;
  treatment: string;
  ratio: string;
  alpha: string;
}

function registerCompare(stats: Command, cli: Cli): void {
  const compare = stats
    .command('compare')
    .summary('what two arms say beside each other')
    .description(
      'How strongly the subjects of two arms speak against "at most --ratio times the share of control": a guardrail with control and the whole of alpha fires when its e-value reaches 1/alpha. Each subject counts once. Beside it the bounds of the difference as GrowthBook, Statsig and Eppo draw them, for display: nothing is decided by them.',
    )
    .requiredOption('--events <n>', 'subjects that had the new release')
    .requiredOption('--harmful <n>', 'how many of them were harmful')
    .requiredOption('--control-events <n>', 'subjects that had the release in force')
    .requiredOption('--control-harmful <n>', 'how many of them were harmful')
    .option('--treatment <share>', 'the share of subjects that chance gave the new release', '0.5')
    .option('--ratio <times>', "how many times control's share is let pass", '1')
    .option('--alpha <chance>', 'the chance that it is ever wrong', '0.05')
    .action((options: CompareOptions) => runCompare(cli, options));
  withExample(
    compare,
    'portcullis stats compare --events 105 --harmful 11 --control-events 105 --control-harmful 2',
  );
}

async function runCompare(cli: Cli, options: CompareOptions): Promise<void> {
  const { compareArms } = await import('../../domain/evidence/compare.ts');
  const arm = (name: string, events: string, harmful: string) => ({
    events: wholeNumber(`--${name}events`, events),
    harms: wholeNumber(`--${name}harmful`, harmful, 0),
  });
  const found = weighed(() =>
    compareArms({
      treated: arm('', options.events, options.harmful),
      control: arm('control-', options.controlEvents, options.controlHarmful),
      treatment: realNumber('--treatment', options.treatment),
      ratio: realNumber('--ratio', options.ratio),
      alpha: realNumber('--alpha', options.alpha),
    }),
  );
  cli.print(found, () => comparedText(found, cli.io.columns));
}

function comparedText(found: Compared, width: number): string {
  const { eValue, logE, alpha, difference, sequences } = found;
  const rows = sequences.map(({ as, lower, upper }) => [
    as,
    formatNumber(lower),
    upper === null ? '-' : formatNumber(upper),
  ]);
  return sections(
    fields(
      [
        ['Difference', `${formatNumber(difference)} (new minus in force)`],
        [
          'e-value',
          `${formatNumber(eValue)} (log ${formatNumber(logE)}); fires at ${formatNumber(1 / alpha)}`,
        ],
      ],
      width,
    ),
    paragraph(
      eValue >= 1 / alpha
        ? `Worse than control: were it not, any sample would ever look like this with a chance of at most ${alpha}.`
        : 'Not enough to say that it is worse than control.',
      width,
    ),
    `What others would draw, decides nothing\n${table(['as', 'at least', 'at most'], rows, width)}`,
  );
}

/** What is weighed, and how it is told. */
interface Sample {
  events: number;
  mean: number;
  weigh(limit: number, alpha: number): EValue;
}

async function runEValue(cli: Cli, options: EValueOptions): Promise<void> {
  const [limit, alpha] = [realNumber('--limit', options.limit), realNumber('--alpha', options.alpha)];
  const sample = options.values === undefined ? await counted(options) : await read(cli, options);
  const found = weighed(() => sample.weigh(limit, alpha));
  cli.print(found, () => eValueText(found, sample, limit, cli.io.columns));
}

async function counted({ events: asked, harmful, cap }: EValueOptions): Promise<Sample> {
  if (asked === undefined || harmful === undefined || cap !== undefined)
    throw new CliError('usage', 'Give --events and --harmful, or --values with or without --cap', {
      hint: 'portcullis stats e-value --help has an example',
    });
  const { eValueOfCounts } = await import('../../domain/evidence/e-value.ts');
  const [events, harms] = [wholeNumber('--events', asked), wholeNumber('--harmful', harmful, 0)];
  return {
    events,
    mean: harms / events,
    weigh: (limit, alpha) => eValueOfCounts({ events, harms }, limit, alpha),
  };
}

async function read(cli: Cli, { values: file = '', cap, events, harmful }: EValueOptions): Promise<Sample> {
  if (events !== undefined || harmful !== undefined)
    throw new CliError('usage', '--values is given instead of --events and --harmful');
  const { eValueOfValues } = await import('../../domain/evidence/e-value.ts');
  const values = valuesIn(file, await readFile(resolve(cli.io.cwd, file), 'utf8'));
  const most = cap === undefined ? undefined : realNumber('--cap', cap);
  return {
    events: values.length,
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    weigh: (limit, alpha) => eValueOfValues(values, limit, alpha, most),
  };
}

/** @throws CliError `usage` with the line, or the place in the array, of what is no number */
function valuesIn(file: string, text: string): number[] {
  if (text.trimStart().startsWith('[')) return valuesOfArray(file, text);
  const lines = text.split(/\r?\n/).map((line, at) => ({ line: line.trim(), at: at + 1 }));
  const values = lines
    .filter(({ line }) => line !== '')
    .map(({ line, at }) => realNumber(`${file}:${at}`, line));
  if (values.length === 0) throw new CliError('usage', `${file} holds no value`);
  return values;
}

function valuesOfArray(file: string, text: string): number[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new CliError(
      'usage',
      `${file} is no JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
    );
  }
  const values = Array.isArray(parsed) ? parsed : [];
  const other = values.findIndex((value) => typeof value !== 'number');
  if (other >= 0)
    throw new CliError('usage', `${file}: item ${other} is not a number: ${JSON.stringify(values[other])}`);
  if (values.length === 0) throw new CliError('usage', `${file} holds no value`);
  return values;
}

function weighed<Found>(weigh: () => Found): Found {
  try {
    return weigh();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CliError('usage', `Cannot weigh it: ${error.message.replace(/^Cannot [^:]*: /, '')}`);
  }
}

function eValueText(found: EValue, { events, mean }: Sample, limit: number, width: number): string {
  const { eValue, logE, lower, upper, alpha } = found;
  const fires = eValue >= 1 / alpha;
  const verdict = fires
    ? `Above the limit: were the mean within it, any sample would ever look like this with a chance of at most ${alpha}.`
    : 'Not enough to say that the mean is above the limit.';
  return sections(
    fields(
      [
        ['Sample', `${events}, mean ${formatNumber(mean)}, against a limit of ${formatNumber(limit)}`],
        [
          'e-value',
          `${formatNumber(eValue)} (log ${formatNumber(logE)}); fires at ${formatNumber(1 / alpha)}`,
        ],
        [
          'Mean',
          `at least ${formatNumber(lower)}, ${upper === null ? 'not bounded above: give --cap' : `at most ${formatNumber(upper)}`}`,
        ],
      ],
      width,
    ),
    paragraph(verdict, width),
  );
}
