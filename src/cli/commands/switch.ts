import { Option } from 'commander';
import { scopeText, typedScope } from '../../domain/scope.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { type Disabled, disableScope } from '../disable-scope.ts';
import { CliError } from '../failure.ts';
import { formatDuration, formatTime, formatTimeAndDistance } from '../text/format.ts';
import { shortIds } from '../text/ids.ts';
import { command, fields, paragraph, quoted, sections, table } from '../text/render.ts';
import type { WireEnabled } from '../wire.ts';

const SCOPE_HELP = 'everything, <agent> or <agent>/<tool>';

interface DisableOptions {
  reason: string;
  reads?: boolean;
  wait?: 'drained';
  direct?: boolean;
}

/** `portcullis disable` and `portcullis enable`. */
export const registerSwitch: RegisterCommands = (program, cli) => {
  const disable = program
    .command('disable')
    .summary('drop the gate at once')
    .description(
      'Drops the gate at once: when it answers CLOSED, no write begins. It goes by the switch, a process of its own (PORTCULLIS_SWITCH_URL, else the port next to the API), then by the API, and if that does not answer within 2 s by the database itself, where DATABASE_URL or the data folder says how; neither Temporal nor Slack is needed.',
    )
    .argument('<scope>', SCOPE_HELP)
    .requiredOption('--reason <text>', 'why; everybody sees it')
    .option('--reads', 'stop reads too')
    .addOption(new Option('--wait <what>', 'wait until what had begun is over').choices(['drained']))
    .option('--direct', 'by the database at once (DATABASE_URL, else the data folder)')
    .action((scope: string, options: DisableOptions) => runDisable(cli, scopeOf(scope), options));
  withExample(
    disable,
    'portcullis disable my-agent --reason "It mails strangers"',
    'DATABASE_URL=postgres://... portcullis disable everything --reason "API down" --direct',
  );
  const enable = program
    .command('enable')
    .summary('raise it again')
    .description(
      'Opens the gate again. An agent or a tool takes one person and a reason, everything takes two people.',
    )
    .argument('<scope>', SCOPE_HELP)
    .requiredOption('--reason <text>', 'why it is safe again')
    .action((scope: string, { reason }: { reason: string }) => runEnable(cli, scopeOf(scope), reason));
  withExample(enable, 'portcullis enable my-agent --reason "The address book is mended"');
};

/** @throws CliError `usage` */
function scopeOf(text: string): string {
  const scope = typedScope(text);
  if (scope) return scopeText(scope);
  throw new CliError('usage', `"${text}" is not a scope`, { hint: `Write ${SCOPE_HELP}` });
}

async function runDisable(cli: Cli, scope: string, options: DisableOptions): Promise<void> {
  const { reason, reads = false, wait, direct = false } = options;
  const drain = wait === 'drained';
  const disabled = await disableScope(cli, { scope, reason, reads }, { direct, drain });
  const over = disabled.state === 'closed' && (disabled.stillInFlight ?? []).length === 0;
  if (!over) cli.exit = 'unfinished';
  cli.print(disabled, () => disabledText(cli, disabled, reads));
}

function disabledText({ io }: Cli, disabled: Disabled, reads: boolean): string {
  const { state, scope, offAtMs, epoch, voided, inFlight, heldBy, credentialsUntil, failoverSafe, by } =
    disabled;
  const what = reads ? 'no read and no write' : 'no write';
  const answer =
    state === 'closed'
      ? `CLOSED in ${formatDuration(offAtMs)} by the ${by === 'api' ? 'API' : by}: ${what} of ${scope} begins any more.`
      : `CLOSING since ${formatDuration(offAtMs)}: none begins but those held by the backends below. Run it again until it says CLOSED.`;
  const held = heldBy.map(({ pid, what: name }) => `${name} (backend ${pid})`).join(', ');
  const until = credentialsUntil && formatTimeAndDistance(credentialsUntil, io.now());
  return sections(
    paragraph(answer, io.columns),
    fields(
      [
        ['Epoch', epoch === undefined ? undefined : String(epoch)],
        ['Voided', voided === undefined ? 'still going on' : `${voided} that waited or were approved`],
        [state === 'closed' ? 'Ended' : 'Held by', held],
        ['Credentials', until ? `the last one lives until ${until}` : 'none lives'],
        ['Failover', failoverSafe ? 'safe' : 'not failover-safe: no synchronous standby has it'],
      ],
      io.columns,
    ),
    flightText(disabled, inFlight, io.columns),
    `Next, when it is safe:\n${command(`portcullis enable ${quoted(scope)} --reason "..."`)}`,
  );
}

function flightText({ stillInFlight }: Disabled, inFlight: Disabled['inFlight'], width: number): string {
  if (inFlight.length === 0) return 'Nothing had begun: nothing more can land.';
  if (stillInFlight?.length === 0) {
    return `${inFlight.length} had begun before; all of them are over: completed, or their credential has expired.`;
  }
  const flying = stillInFlight ?? inFlight;
  const short = shortIds(flying.map(({ action }) => action));
  const rows = flying.map((one) => [
    short(one.action),
    `${one.agent} ${one.tool}: ${one.summary}`,
    formatTime(one.begunAt),
  ]);
  return `Begun before, may still land\n${table(['action', 'what', 'begun'], rows, width)}`;
}

async function runEnable(cli: Cli, scope: string, reason: string): Promise<void> {
  const { body } = await cli.api.request<WireEnabled>('PUT', `/v1/switches/${scope}`, {
    json: { disabled: false, reason },
  });
  if (body.status === 'second_person_needed') cli.exit = 'unfinished';
  cli.print(body, () => enabledText(body));
}

function enabledText({ status, scope, epoch, askedBy }: WireEnabled): string {
  if (status === 'enabled') return paragraph(`Enabled: ${scope} may begin again (epoch ${epoch}).`);
  if (status === 'already_enabled') return paragraph(`Nothing changed: ${scope} is not switched off.`);
  return sections(
    paragraph(`Asked for by ${askedBy}: enabling everything takes a second person. It is still off.`),
    `Next, by somebody else:\n${command(`portcullis enable ${scope} --reason "..."`)}`,
  );
}
