import type { Command } from 'commander';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { type CycleReview, type CycleReviews, cycleListText, cycleText } from '../text/cycle-review-text.ts';
import { registerWeekly } from './reviews-weekly.ts';

const pathOf = (id: string, verb = ''): string => `/v1/cycle-reviews/${encodeURIComponent(id)}${verb}`;

/** `portcullis reviews`. */
export const registerReviews: RegisterCommands = (program, cli) => {
  const reviews = program
    .command('reviews')
    .summary('what the people who decide look at: each cycle, and each week')
    .description(
      'A review of each cycle of a rollout, which the next start waits for, and one page a week for product, engineering, policy and operations.',
    );
  registerWeekly(reviews, cli);
  registerCycle(reviews, cli);
};

function registerCycle(reviews: Command, cli: Cli): void {
  const cycle = reviews.command('cycle').summary('the review of each cycle of a rollout');
  const list = cycle
    .command('list')
    .summary('reviews of cycles, newest first, and how predictions came out')
    .argument('[agent]', 'only of this agent')
    .option('--owed', 'only those that a start waits for')
    .action(async (agent: string | undefined, { owed = false }: { owed?: boolean }) => {
      const found = await cli.api.get<CycleReviews>('/v1/cycle-reviews', {
        ...(agent !== undefined && { agent }),
        ...(owed && { owed: 'true' }),
      });
      cli.print(found, () => cycleListText(found, cli.io.columns));
    });
  withExample(list, 'portcullis reviews cycle list airline-desk --owed');
  const show = cycle
    .command('show')
    .summary('what changed, what was seen, what was written')
    .argument('<id>', 'the review')
    .action(async (id: string) => {
      const found = await cli.api.get<CycleReview>(pathOf(id));
      cli.print(found, () => cycleText(found));
    });
  withExample(show, 'portcullis reviews cycle show rev-1a2b3c4d5e');
  const write = cycle
    .command('write')
    .summary('write what people make of it, from a file')
    .argument('<id>', 'the review')
    .argument('<file>', 'cause, next and prediction (YAML or JSON); at most 200 words')
    .action((id: string, file: string) => runWrite(cli, id, file));
  withExample(write, 'portcullis reviews cycle write rev-1a2b3c4d5e review.yaml');
  const second = cycle
    .command('second')
    .summary('stand for a decision against what the criteria recommend')
    .argument('<id>', 'the review')
    .requiredOption('--reason <text>', 'why; it is logged')
    .action(async (id: string, { reason }: { reason: string }) => {
      const found = await cli.api.post<CycleReview>(pathOf(id, '/second'), { reason });
      cli.print(found, () => cycleText(found));
    });
  withExample(second, 'portcullis reviews cycle second rev-1a2b3c4d5e --reason "The night shift is covered"');
}

async function runWrite(cli: Cli, id: string, file: string): Promise<void> {
  const { readWrittenReview } = await import('../../domain/review/read.ts');
  const { formatProblems } = await import('../../domain/problem.ts');
  const { readManifestText } = await import('../list-files.ts');
  const read = readWrittenReview(file, await readManifestText(file, cli.io.cwd));
  if (!read.ok)
    throw new CliError('usage', `${formatProblems(read.problems)}\nNothing was written`, {
      code: 'invalid_input',
      details: { problems: read.problems },
    });
  const written = await cli.api.post<CycleReview>(pathOf(id, '/write'), read.value);
  cli.print(written, () => cycleText(written));
}
