import { type Cli, type RegisterCommands, wholeNumber, withExample } from '../cli.ts';
import { holdText, retentionText } from '../text/retention-text.ts';
import type { WireHold, WireRetention } from '../wire.ts';

interface ReasonOption {
  reason: string;
}

/** `portcullis retention`. */
export const registerRetention: RegisterCommands = (program, cli) => {
  const retention = program.command('retention').summary('what is kept for how long, and what goes next');
  retention.description(
    'What is over is dropped by itself, a stretch of time at once. How long each kind is kept is set where the service runs (PORTCULLIS_KEEP_*).',
  );
  const status = retention
    .command('status')
    .summary('what is kept, how much it is and what goes next')
    .description('Shows what is kept for how long and set by what, its size, the oldest, and when that goes.')
    .action(() => runStatus(cli));
  withExample(status, 'portcullis retention status');
  const hold = retention
    .command('hold')
    .summary('drop nothing, however old')
    .description(
      'Keeps everything from being dropped until it is released: for an audit, a dispute, a court. Needs a token with the role admin or auditor.',
    )
    .requiredOption('--reason <text>', 'why; it is logged')
    .action((options: ReasonOption) => runHold(cli, options));
  withExample(hold, 'portcullis retention hold --reason "Audit of May"');
  const release = retention
    .command('release')
    .summary('let go what is over')
    .description('Releases a hold. Needs a token with the role admin.')
    .argument('<hold>', 'its number, as retention status shows it')
    .requiredOption('--reason <text>', 'why; it is logged')
    .action((id: string, options: ReasonOption) => runRelease(cli, id, options));
  withExample(release, 'portcullis retention release 3 --reason "The audit is over"');
};

async function runStatus(cli: Cli): Promise<void> {
  const status = await cli.api.get<WireRetention>('/v1/retention');
  cli.print(status, () => retentionText(status, cli.io.now(), cli.io.columns));
}

async function runHold(cli: Cli, { reason }: ReasonOption): Promise<void> {
  const hold = await cli.api.post<WireHold>('/v1/retention/holds', { reason });
  cli.print(hold, () => holdText(hold, 'held', cli.io.columns));
}

async function runRelease(cli: Cli, id: string, { reason }: ReasonOption): Promise<void> {
  const number = wholeNumber('<hold>', id);
  const hold = await cli.api.post<WireHold>(`/v1/retention/holds/${number}/release`, { reason });
  cli.print(hold, () => holdText(hold, 'released', cli.io.columns));
}
