import { type Command, Option } from 'commander';
import { v7 } from 'uuid';
import { ACTION_STATES, isStopped } from '../../domain/action.ts';
import { actionPath } from '../answer-actions.ts';
import { type Cli, collect, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import type { ApiClient } from '../client.ts';
import { shortId, wholeId } from '../ids.ts';
import { jsonObject } from '../input.ts';
import { actionsText, actionText, credentialText, reasonsText } from '../text/action-text.ts';
import { formatTimeAndDistance } from '../text/format.ts';
import { command, fields, paragraph, sections } from '../text/render.ts';
import { withAttributes } from '../vouched.ts';
import type { WireAction, WireAsked } from '../wire.ts';

/** `portcullis action`. */
export const registerAction: RegisterCommands = (program, cli) => {
  const action = program.command('action').summary('ask for actions, look at them, report on them');
  action.description('One action is one use of a tool.');
  registerAsk(action, cli);
  registerLooks(action, cli);
  const correct = action
    .command('correct')
    .summary('report a wrong write, or a right one that was stopped')
    .description(
      'Reports, afterwards, that an executed write was wrong, which counts as harm in the metrics that say so; or that one denied or expired was right and wrongly stopped, which approvals stats shows.',
    )
    .argument('<id>', 'the action')
    .requiredOption('--reason <text>', 'what was wrong, or why it was right')
    .action(async (id: string, { reason }: { reason: string }) => {
      const corrected = await cli.api.post<WireAction>(
        `${actionPath(await wholeId(cli, 'action', id))}/corrections`,
        { reason },
      );
      const word = isStopped(corrected.state) ? 'wrongly stopped' : 'wrong';
      cli.print(corrected, () =>
        paragraph(`Reported as ${word} by ${corrected.correction?.person}: ${corrected.summary}`),
      );
    });
  withExample(correct, 'portcullis action correct 0193a7c4-5e2f --reason "wrong guest"');
};

interface AskOptions {
  args: string;
  subject: string;
  reason?: string;
  key?: string;
  agentVersion: string;
  attribute?: string[];
  context?: string;
  behind?: string;
  begin?: boolean;
}

function registerAsk(action: Command, cli: Cli): void {
  const ask = action
    .command('ask')
    .summary('ask before a tool is used, as the agent would')
    .description(
      'Asks before a tool is used, as the agent would. Exit code 0: allowed, 1: denied, 6: a person is asked. Asking again with the same --key gives the same action; with --begin an allowed or approved one begins.',
    )
    .argument('<agent>', 'the agent')
    .argument('<tool>', 'the tool')
    .option('--args <json>', 'its arguments, or @file', '{}')
    .option('--subject <text>', 'the conversation or customer it is about', 'cli')
    .option('--reason <text>', "why, in the agent's words")
    .option('--key <key>', 'idempotency key (default: a new one)')
    .option(
      '--agent-version <version>',
      'the build that asks; a new one holds the widening of a rollout',
      'cli',
    )
    .option('--attribute <name=value>', 'a trusted attribute, may be repeated; takes an admin token', collect)
    .option('--context <json>', 'what the agent itself claims, or @file')
    .option('--behind <person>', 'the person the agent acts for; may not approve')
    .option('--begin', 'begin at once if it is allowed, and show the credential')
    .action((agent: string, tool: string, options: AskOptions) => runAsk(cli, agent, tool, options));
  withExample(
    ask,
    `portcullis action ask my-agent send_email --args '{"to": "ana@example.org", "subject": "Hello"}' --reason "She asked for it"`,
  );
}

async function runAsk(cli: Cli, agent: string, tool: string, options: AskOptions): Promise<void> {
  const { key = v7(), subject, reason, agentVersion, behind, begin } = options;
  const args = await jsonObject('--args', options.args, cli.io.cwd);
  const context = options.context && (await jsonObject('--context', options.context, cli.io.cwd));
  const json = {
    agent,
    agentVersion,
    tool,
    args,
    subject,
    reason,
    behind,
    idempotencyKey: key,
    ...(context && { context }),
  };
  const ask = (api: ApiClient) =>
    api.request<WireAsked>('POST', '/v1/actions', { query: { begin: begin ? true : undefined }, json });
  const { body: asked } = options.attribute
    ? await withAttributes(cli, agent, options.attribute, ask)
    : await ask(cli.api);
  cli.exit = asked.outcome === 'allowed' ? 'ok' : asked.outcome === 'pending' ? 'unfinished' : 'refused';
  cli.print({ ...asked, idempotencyKey: key }, () => askedText(cli, asked, key));
}

function askedText(cli: Cli, asked: WireAsked, key: string): string {
  const { columns, now } = cli.io;
  const said = {
    allowed: `ALLOWED${asked.decidedBy ? ` by ${asked.decidedBy}` : ''}: ${asked.summary}`,
    pending: `WAITING for ${asked.approval?.group ?? 'a person'}: ${asked.summary}`,
    denied: `DENIED: ${asked.summary} (${asked.state})`,
  }[asked.outcome];
  const next =
    asked.outcome === 'pending'
      ? `Next: approve it here, or on the page\n${command(`portcullis approvals approve ${shortId(asked.id)}`)}`
      : undefined;
  return sections(
    paragraph(said, columns),
    fields(
      [
        ['Action', shortId(asked.id)],
        ['Key', key],
        ['Page', asked.url],
        ['Begun', asked.startBy && `write before ${formatTimeAndDistance(asked.startBy, now())}`],
      ],
      columns,
    ),
    reasonsText(asked, columns),
    credentialText(asked.credential, now()),
    next,
  );
}

interface ListOptions {
  agent?: string;
  state?: string;
  segment?: string;
  limit: string;
  cursor?: string;
}

function registerLooks(action: Command, cli: Cli): void {
  const list = action
    .command('list')
    .summary('list actions, newest first')
    .description('Lists actions, newest first.')
    .option('--agent <agent>', 'only of this agent')
    .addOption(new Option('--state <state>', 'only in this state').choices(ACTION_STATES))
    .option('--segment <segment>', 'only in this segment')
    .option('--limit <n>', 'how many', '20')
    .option('--cursor <cursor>', 'go on from here')
    .action(async ({ limit, ...options }: ListOptions) => {
      const query = { ...options, limit: wholeNumber('--limit', limit) };
      const page = await cli.api.get<{ actions: WireAction[]; nextCursor?: string }>('/v1/actions', query);
      cli.print(page, () => actionsText(page.actions, page.nextCursor, cli.io.now(), cli.io.columns));
    });
  withExample(list, 'portcullis action list --state pending');
  const show = action
    .command('show')
    .summary('show one action with its arguments')
    .description('Shows one action with its arguments; redacted values are marked.')
    .argument('<id>', 'the action')
    .option('--wait <duration>', 'at most this long, until it is no longer pending (at most 60s)')
    .action(async (id: string, { wait }: { wait?: string }) => {
      const shown = await cli.api.get<WireAction>(
        actionPath(await wholeId(cli, 'action', id)),
        { wait },
        { timeoutMs: 90_000 },
      );
      cli.print(shown, () => actionText(shown, cli.io.now(), cli.io.columns));
    });
  withExample(show, 'portcullis action show 0193a7c4-5e2f --wait 30s');
}
