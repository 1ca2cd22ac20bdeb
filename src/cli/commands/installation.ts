import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { formatDuration, formatTime } from '../text/format.ts';
import { fields, paragraph, sections } from '../text/render.ts';

interface WireSettings {
  dayMs: number;
  publicUrl?: string;
  issuer?: string;
}

interface WireChanged {
  before: WireSettings;
  after: WireSettings;
  oldIssuerUntil?: string;
}

interface SetOptions {
  day?: string;
  publicUrl?: string;
  issuer?: string;
  reason: string;
  yes?: boolean;
}

/** `portcullis installation`. */
export const registerInstallation: RegisterCommands = (program, cli) => {
  const installation = program
    .command('installation')
    .summary('what all processes of the installation go by')
    .description(
      'The length of a day, the address where people reach the service and the issuer of what it signs belong to the installation: its store keeps them, and a process that is started with another PORTCULLIS_DAY, PORTCULLIS_PUBLIC_URL or PORTCULLIS_ISSUER is refused.',
    );
  const show = installation
    .command('show')
    .summary('what they are')
    .action(() => runShow(cli));
  withExample(show, 'portcullis installation show');
  const set = installation
    .command('set')
    .summary('change them, for every process')
    .description(
      'Changes them on purpose; every process follows within seconds, and is to be started with the new value from then on. A day of another length is refused while a rollout is open. Another issuer: whoever checks credentials must take both for a while, and receipts go on naming the one of their time. Another address: links that were sent lead to the old one. Logged. Needs a token with the role admin.',
    )
    .option('--day <duration>', 'the length of a day, 100ms to 24h; for demos and tests only')
    .option('--public-url <url>', 'where people reach the service')
    .option('--issuer <text>', 'the iss of credentials, receipts and checkpoints')
    .requiredOption('--reason <text>', 'why; it is logged')
    .option('--yes', 'do not ask')
    .action((options: SetOptions) => runSet(cli, options));
  withExample(
    set,
    'portcullis installation set --public-url https://portcullis.example.com --reason "It moved" --yes',
  );
};

async function runShow(cli: Cli): Promise<void> {
  const settings = await cli.api.get<WireSettings>('/v1/installation');
  cli.print(settings, () => fields(rowsOf(settings), cli.io.columns));
}

async function runSet(cli: Cli, { yes, reason, ...change }: SetOptions): Promise<void> {
  if (Object.keys(change).length === 0)
    throw new CliError('usage', 'Nothing is to be changed', {
      hint: 'Say what: --day, --public-url or --issuer',
    });
  const what = Object.values(change).join(', ');
  const question = `Change the installation to ${what}, for every process of it?`;
  if (!yes && !(await cli.ask(question, 'Add --yes'))) throw new CliError('refused', 'Nothing was changed');
  const { body } = await cli.api.request<WireChanged>('PUT', '/v1/installation', {
    json: { ...change, reason },
  });
  cli.print(body, () => changedText(body, cli.io.columns));
}

const rowsOf = ({ dayMs, publicUrl, issuer }: WireSettings): [string, string][] => [
  ['Day', formatDuration(dayMs)],
  ['Public URL', publicUrl ?? 'not said: the address at which the one process listens'],
  ['Issuer', issuer ?? 'not said: the public URL'],
];

function changedText({ before, after, oldIssuerUntil }: WireChanged, columns: number): string {
  if (JSON.stringify(before) === JSON.stringify(after)) return 'It is so already: nothing was changed.';
  const old = rowsOf(before);
  const rows = rowsOf(after).flatMap(([name, value], n): [string, string][] =>
    value === old[n]?.[1] ? [] : [[name, `${value} (before: ${old[n]?.[1]})`]],
  );
  return sections(
    paragraph('THE INSTALLATION WAS CHANGED, for every process of it, within 5 seconds.', columns),
    fields(rows, columns),
    paragraph('Start every process with it from now on: one that is told the old value is refused.', columns),
    oldIssuerUntil &&
      paragraph(
        `Credentials that name the old issuer live until ${formatTime(oldIssuerUntil)}: whoever checks them must take both until then. Receipts and checkpoints go on naming the issuer of their time.`,
        columns,
      ),
  );
}
