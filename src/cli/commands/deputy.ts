import type { Command } from 'commander';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { shortId, shortIds, wholeId } from '../ids.ts';
import { formatTime, formatTimeAndDistance } from '../text/format.ts';
import { command, paragraph, table } from '../text/render.ts';
import type { WireDeputy } from '../wire.ts';

const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$/;

const pathOf = (agent: string): string => `/v1/agents/${encodeURIComponent(agent)}/deputies`;

/** `portcullis deputy`. */
export const registerDeputy: RegisterCommands = (program, cli) => {
  const deputy = program.command('deputy').summary('let somebody answer for you while you are away');
  deputy.description(
    'A deputy answers where the one they stand for would count, and both count once. At most 30 days, never lent on.',
  );
  registerAdd(deputy, cli);
  const list = deputy
    .command('list')
    .summary('who answers for whom')
    .description('Lists who answers for whom, now or soon.')
    .argument('<agent>', 'the agent')
    .option('--ended', 'also those that are over or were ended')
    .action(async (agent: string, { ended }: { ended?: boolean }) => {
      const found = await cli.api.get<{ deputies: WireDeputy[] }>(pathOf(agent), { ended });
      cli.print(found, () => deputiesText(agent, found.deputies, cli.io.now(), cli.io.columns));
    });
  withExample(list, 'portcullis deputy list my-agent');
  const remove = deputy
    .command('remove')
    .summary('end it before its time')
    .description('Ends it at once: no write begins any more by what this deputy approved.')
    .argument('<agent>', 'the agent')
    .argument('<id>', 'as deputy list shows it')
    .action(async (agent: string, id: string) => {
      const path = `${pathOf(agent)}/${await wholeId(cli, 'deputy', id)}`;
      const { body } = await cli.api.request<WireDeputy>('DELETE', path);
      cli.print(body, () =>
        paragraph(`Ended: ${body.to} no longer answers for ${body.from}.`, cli.io.columns),
      );
    });
  withExample(remove, 'portcullis deputy remove my-agent 6f1d6f0e');
};

interface AddOptions {
  for?: string;
  group?: string;
  starts?: string;
  until: string;
  reason: string;
}

function registerAdd(deputy: Command, cli: Cli): void {
  const add = deputy
    .command('add')
    .summary('name a deputy')
    .description(
      'Names a deputy of yours. A release manager may name one for somebody else, with --for. Times are durations from now, such as 5d, or local times.',
    )
    .argument('<agent>', 'the agent')
    .argument('<person>', 'who answers')
    .requiredOption('--until <time>', 'for example 5d or 2026-12-24T18:00')
    .requiredOption('--reason <text>', 'why')
    .option('--starts <time>', 'default: now')
    .option('--group <group>', 'only in this approver group (default: in all of yours)')
    .option('--for <person>', 'whose deputy (default: yours)')
    .action((agent: string, to: string, options: AddOptions) => runAdd(cli, agent, to, options));
  withExample(
    add,
    'portcullis deputy add my-agent ben --until 5d --reason "On holiday"',
    'portcullis deputy add my-agent ben --for ana --until 2026-12-24T18:00 --reason "She is ill"',
  );
}

async function runAdd(cli: Cli, agent: string, to: string, options: AddOptions): Promise<void> {
  const { for: from, group, starts, until, reason } = options;
  const startsAt = starts === undefined ? undefined : await timeOf('--starts', starts, cli.io.now());
  const endsAt = await timeOf('--until', until, startsAt ? new Date(startsAt) : cli.io.now());
  const made = await cli.api.post<WireDeputy>(pathOf(agent), { from, to, group, startsAt, endsAt, reason });
  cli.print(made, () =>
    paragraph(
      `${made.to} answers for ${made.from}${made.group ? ` in ${made.group}` : ''} ${made.state === 'coming' ? `from ${formatTime(made.startsAt)} ` : ''}until ${formatTimeAndDistance(made.endsAt, cli.io.now())} (${shortId(made.id)}).`,
      cli.io.columns,
    ),
  );
}

/** A duration counts from `from`; a day without a time begins at midnight here. @throws CliError `usage` */
async function timeOf(option: string, text: string, from: Date): Promise<string> {
  const { DURATION_PATTERN, durationMs } = await import('../../domain/duration.ts');
  const { INSTANT_RANGE, isInstant } = await import('../../domain/instant.ts');
  const at = DURATION_PATTERN.test(text)
    ? new Date(from.getTime() + durationMs(text))
    : new Date(text.includes('T') ? text : `${text}T00:00`);
  const isTime = DURATION_PATTERN.test(text) || (TIME.test(text) && !Number.isNaN(at.getTime()));
  if (isTime && isInstant(at)) return at.toISOString();
  throw new CliError(
    'usage',
    `${option}: "${text}" is not a time${isTime ? ` there is: ${INSTANT_RANGE}` : ''}`,
    {
      hint: 'Write 5d, 12h or 2026-12-24T18:00',
    },
  );
}

function deputiesText(agent: string, deputies: readonly WireDeputy[], now: Date, width: number): string {
  if (deputies.length === 0)
    return `Everybody of ${agent} answers for themselves. Name a deputy:\n${command(`portcullis deputy add ${agent} <person> --until 5d --reason "..."`)}`;
  const short = shortIds(deputies.map(({ id }) => id));
  const rows = deputies.map((one) => [
    short(one.id),
    [
      `${one.to} for ${one.from}${one.group ? ` in ${one.group}` : ''}: ${one.reason}`,
      one.state === 'coming' ? `from ${formatTimeAndDistance(one.startsAt, now)}` : undefined,
      one.revokedAt
        ? `ended ${formatTime(one.revokedAt)} by ${one.revokedBy}`
        : `until ${formatTimeAndDistance(one.endsAt, now)}`,
      one.createdBy === one.from ? undefined : `named by ${one.createdBy}`,
    ]
      .filter((line) => line !== undefined)
      .join('\n'),
  ]);
  return table(['id', 'deputy'], rows, width);
}
