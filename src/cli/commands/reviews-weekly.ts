import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { type Cli, withExample } from '../cli.ts';
import { command, sections, table } from '../text/render.ts';

interface Listed {
  week: string;
  version: number;
  madeAt: string;
  dueAt: string;
  readBy: string[];
}

interface Shown {
  week: string;
  version: number;
  digest: string;
  difference: string[];
  markdown: string;
  answers: { function: string; person: string; comment?: string }[];
}

interface Verified {
  week: string;
  version: number;
  digest: string;
  snapshotIntact: boolean;
  pageSame: boolean;
  differences: string[];
}

const pathOf = (week: string, rest = ''): string => `/v1/reviews/${encodeURIComponent(week)}${rest}`;

/** The page of each week. */
export function registerWeekly(reviews: Command, cli: Cli): void {
  const list = reviews
    .command('list')
    .summary('the weeks that have a page, and who has read it')
    .action(async () => {
      const { reviews: all } = await cli.api.get<{ reviews: Listed[] }>('/v1/reviews');
      cli.print(all, () =>
        all.length === 0
          ? 'No week has a page yet: the schedule makes one each Monday.'
          : table(
              ['week', 'version', 'made', 'read by'],
              all.map(({ week, version, madeAt, readBy }) => [
                week,
                String(version),
                madeAt.slice(0, 16),
                readBy.join(', ') || 'nobody yet',
              ]),
              cli.io.columns,
            ),
      );
    });
  withExample(list, 'portcullis reviews list');
  const show = reviews
    .command('show')
    .summary('the page of a week')
    .argument('<week>', 'such as 2026-W47')
    .option('--page-version <n>', 'an earlier version; default: the newest')
    .action(async (week: string, { pageVersion }: { pageVersion?: string }) => {
      const found = await cli.api.get<Shown>(
        pathOf(week),
        pageVersion ? { version: pageVersion } : undefined,
      );
      cli.print(found, () => shownText(found));
    });
  withExample(show, 'portcullis reviews show 2026-W47');
  const preview = reviews
    .command('preview')
    .summary('a look at the week that is not over: kept nowhere')
    .option('--markdown <file>', 'write it to a file')
    .action(async ({ markdown: file }: { markdown?: string }) => {
      const found = await cli.api.get<{ markdown: string }>('/v1/reviews/preview');
      if (file) await writeFile(join(cli.io.cwd, file), found.markdown);
      cli.print(found, () => (file ? `Written: ${file}` : found.markdown));
    });
  withExample(preview, 'portcullis reviews preview --markdown week.md');
  const make = reviews
    .command('make')
    .summary('make the page of the last week that is over, as the schedule does')
    .action(async () => {
      const { made } = await cli.api.post<{ made: { week: string; version: number }[] }>('/v1/reviews', {});
      cli.print(made, () =>
        made.length === 0
          ? 'Nothing to make: the last week has its page, and no late data came.'
          : made.map(({ week, version }) => `${week}, version ${version}`).join('\n'),
      );
    });
  withExample(make, 'portcullis reviews make');
  const verify = reviews
    .command('verify')
    .summary('make a page again, from its snapshot and from the records')
    .argument('<week>', 'such as 2026-W47')
    .action(async (week: string) => {
      const found = await cli.api.get<Verified>(pathOf(week, '/verify'));
      cli.print(found, () => verifiedText(found));
    });
  withExample(verify, 'portcullis reviews verify 2026-W47');
  registerAnswers(reviews, cli);
}

function registerAnswers(reviews: Command, cli: Cli): void {
  const acknowledge = reviews
    .command('acknowledge')
    .summary('a function has read the page')
    .argument('<week>', 'such as 2026-W47')
    .requiredOption('--as <function>', 'product, engineering, policy or operations')
    .action((week: string, { as }: { as: string }) => answer(cli, week, { function: as }));
  withExample(acknowledge, 'portcullis reviews acknowledge 2026-W47 --as policy');
  const comment = reviews
    .command('comment')
    .summary('a function has something to say of the page')
    .argument('<week>', 'such as 2026-W47')
    .argument('<text>', 'what')
    .requiredOption('--as <function>', 'product, engineering, policy or operations')
    .action((week: string, text: string, { as }: { as: string }) =>
      answer(cli, week, { function: as, comment: text }),
    );
  withExample(comment, 'portcullis reviews comment 2026-W47 "Refunds need a second look" --as product');
}

async function answer(cli: Cli, week: string, body: { function: string; comment?: string }): Promise<void> {
  const done = await cli.api.post<{ week: string; function: string }>(pathOf(week, '/answers'), body);
  cli.print(done, () => `Recorded: ${done.function} has read ${done.week}`);
}

const shownText = ({ markdown, difference, answers, version, week }: Shown): string =>
  sections(
    markdown.trimEnd(),
    difference.length > 0
      ? `Version ${version}, because late data changed it:\n${difference.map((line) => `- ${line}`).join('\n')}`
      : undefined,
    answers.length > 0
      ? answers.map((one) => `${one.function} (${one.person}): ${one.comment ?? 'read'}`).join('\n')
      : `Nobody has read it yet:\n${command(`portcullis reviews acknowledge ${week} --as <function>`)}`,
  );

const verifiedText = ({ week, version, digest, snapshotIntact, pageSame, differences }: Verified): string =>
  sections(
    `Week ${week}, version ${version}, ${digest}`,
    [
      snapshotIntact ? 'The snapshot is what its digest says.' : 'THE SNAPSHOT IS NOT WHAT ITS DIGEST SAYS.',
      pageSame
        ? 'The page made of it again is the same, byte for byte.'
        : 'THE PAGE MADE OF IT AGAIN IS ANOTHER.',
      differences.length === 0
        ? 'The records still give the same counts.'
        : `Late data changed what is counted:\n${differences.map((line) => `- ${line}`).join('\n')}\nThe schedule makes another version.`,
    ].join('\n'),
  );
