import type { Command } from 'commander';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { formatTimeAndDistance } from '../text/format.ts';
import { paragraph, sections, table } from '../text/render.ts';

interface WireFollowUp {
  id: string;
  agent: string;
  incident?: string;
  sentence: string;
  state: string;
  severity: string;
  owner?: string;
  dueAt?: string;
  done: string;
  checked?: { because?: string };
  waiver?: { person: string; until: string };
}

const pathOf = (id: string, verb: string): string => `/v1/follow-ups/${encodeURIComponent(id)}/${verb}`;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day is over at its end, UTC; an instant is itself. */
function instantOf(text: string): string {
  const at = new Date(DAY.test(text) ? `${text}T23:59:59Z` : text);
  if (Number.isNaN(at.getTime()))
    throw new CliError('usage', `"${text}" is no day: write 2026-12-24 or 2026-12-24T18:00:00Z`);
  return at.toISOString();
}

/** `portcullis follow-ups`. */
export const registerFollowUps: RegisterCommands = (program, cli) => {
  const followUps = program.command('follow-ups').summary('what somebody will do about it, by when');
  followUps.description(
    'An idea binds nobody until an owner commits to it. What says that it is done is evaluated; one of high severity that is overdue keeps its agent from a start and from wider steps, until it is done or waived.',
  );
  registerLists(followUps, cli);
  registerPromises(followUps, cli);
  registerEnds(followUps, cli);
};

function registerLists(followUps: Command, cli: Cli): void {
  const list = followUps
    .command('list')
    .summary('the last proposed first')
    .argument('[agent]', 'only of this agent')
    .option('--state <state>', 'proposed, committed, claimed, verified, not_doing or superseded')
    .option('--incident <id>', 'only of this incident')
    .option('--cursor <cursor>', 'what the page before gave')
    .action(async (agent: string | undefined, options: Record<string, string>) => {
      const found = await cli.api.get<{ followUps: WireFollowUp[]; nextCursor?: string }>('/v1/follow-ups', {
        agent,
        ...options,
      });
      cli.print(found, () => listText(found, cli.io.now(), cli.io.columns));
    });
  withExample(list, 'portcullis follow-ups list airline-desk --state committed');
  const propose = followUps
    .command('propose')
    .summary('write down an idea')
    .argument('<agent>', 'the agent')
    .argument('<sentence>', 'verb first')
    .option(
      '--done <predicate>',
      '"case NAME is green", "guardrail METRIC exists" or "metric NAME below 0.02 for 14 days"',
    )
    .option('--incident <id>', 'what it comes from')
    .option('--severity <severity>', 'high, normal or low')
    .action(async (agent: string, sentence: string, options: Record<string, string>) =>
      show(cli, await cli.api.post<WireFollowUp>('/v1/follow-ups', { agent, sentence, ...options })),
    );
  withExample(
    propose,
    'portcullis follow-ups propose airline-desk "Ask for cancellations above 2 flights" --done "case cancel-many is green"',
  );
}

function registerPromises(followUps: Command, cli: Cli): void {
  const commit = followUps
    .command('commit')
    .summary('promise it: one person, one day')
    .argument('<id>', 'the follow-up')
    .requiredOption('--owner <person>', 'who does it')
    .requiredOption('--due <day>', 'until the end of this day (UTC), or an instant')
    .option('--severity <severity>', 'high, normal or low')
    .action(
      async (id: string, { owner, due, severity }: { owner: string; due: string; severity?: string }) => {
        const json = { owner, dueAt: instantOf(due), severity };
        show(cli, await cli.api.post<WireFollowUp>(pathOf(id, 'commit'), json));
      },
    );
  withExample(
    commit,
    'portcullis follow-ups commit fu-4f2a91c07b --owner mia --due 2026-12-24 --severity high',
  );
  const claim = followUps
    .command('claim')
    .summary('say that it is done')
    .argument('<id>', 'the follow-up')
    .option('--link <address>', 'where it can be seen, for what no predicate can tell')
    .action(async (id: string, { link }: { link?: string }) =>
      show(cli, await cli.api.post<WireFollowUp>(pathOf(id, 'claim'), { link })),
    );
  withExample(claim, 'portcullis follow-ups claim fu-4f2a91c07b --link https://example.com/change/7');
  const verify = followUps
    .command('verify')
    .summary('confirm a claimed link as a second person')
    .argument('<id>', 'the follow-up')
    .action(async (id: string) => show(cli, await cli.api.post<WireFollowUp>(pathOf(id, 'verify'), {})));
  withExample(verify, 'portcullis follow-ups verify fu-4f2a91c07b');
}

function registerEnds(followUps: Command, cli: Cli): void {
  const drop = followUps
    .command('drop')
    .summary('say that it will not be done, and why')
    .argument('<id>', 'the follow-up')
    .requiredOption('--reason <text>', 'why')
    .option('--superseded-by <id>', 'what takes its place')
    .action(async (id: string, { reason, supersededBy }: { reason: string; supersededBy?: string }) =>
      show(cli, await cli.api.post<WireFollowUp>(pathOf(id, 'drop'), { reason, supersededBy })),
    );
  withExample(drop, 'portcullis follow-ups drop fu-4f2a91c07b --reason "the tool is gone"');
  const waive = followUps
    .command('waive')
    .summary('take it on that it blocks nothing for a time')
    .argument('<id>', 'the follow-up')
    .requiredOption('--reason <text>', 'why')
    .requiredOption('--until <day>', 'until the end of this day (UTC), or an instant; at most 90 days')
    .action(async (id: string, { reason, until }: { reason: string; until: string }) =>
      show(cli, await cli.api.post<WireFollowUp>(pathOf(id, 'waive'), { reason, until: instantOf(until) })),
    );
  withExample(
    waive,
    'portcullis follow-ups waive fu-4f2a91c07b --reason "the vendor ships in May" --until 2026-12-31',
  );
}

const show = (cli: Cli, one: WireFollowUp): void =>
  cli.print(one, () =>
    paragraph(
      `${one.id} is ${one.state}${one.owner ? ` (${one.owner}, due ${one.dueAt})` : ''}. Done when ${one.done}${one.checked?.because ? `; so far: ${one.checked.because}` : ''}.`,
      cli.io.columns,
    ),
  );

function listText(
  { followUps, nextCursor }: { followUps: readonly WireFollowUp[]; nextCursor?: string },
  now: Date,
  width: number,
): string {
  if (followUps.length === 0) return 'No follow-ups.';
  const rows = followUps.map((one) => [
    `${one.id}\n${one.agent}`,
    `${one.state}\n${one.severity}${one.waiver ? `\nWAIVED by ${one.waiver.person}` : ''}`,
    `${one.owner ?? ''}\n${one.dueAt ? formatTimeAndDistance(one.dueAt, now) : ''}`,
    `${one.sentence}\nDone when ${one.done}`,
  ]);
  return sections(
    table(['Follow-up', 'State', 'Who', 'What'], rows, width),
    nextCursor && `More: --cursor ${nextCursor}`,
  );
}
