import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { formatTime } from '../text/format.ts';
import { fields, paragraph, sections } from '../text/render.ts';

interface WireRotated {
  kid: string;
  retired: string;
  servedUntil: string;
}

/** `portcullis keys`. */
export const registerKeys: RegisterCommands = (program, cli) => {
  const keys = program.command('keys').summary('the keys that sign credentials, receipts and checkpoints');
  const rotate = keys
    .command('rotate')
    .summary('sign with a new key from now on')
    .description(
      'Makes a new signing key and takes the old one out of use; all processes follow within seconds. What the old one signed stays valid: tools find it in /.well-known/jwks.json until the last credential it signed has expired, and receipts are verified by the keys that portcullis receipt key writes, which holds all of them. Needs a token with the role admin.',
    )
    .requiredOption('--reason <text>', 'why; it is logged')
    .action((options: { reason: string }) => runRotate(cli, options));
  withExample(rotate, 'portcullis keys rotate --reason "Every quarter"');
};

async function runRotate(cli: Cli, { reason }: { reason: string }): Promise<void> {
  const rotated = await cli.api.post<WireRotated>('/v1/keys/rotate', { reason });
  const { kid, retired, servedUntil } = rotated;
  cli.print(rotated, () =>
    sections(
      paragraph(`Key ${kid} signs from now on.`, cli.io.columns),
      fields([['Retired', `${retired}, served until ${formatTime(servedUntil)}`]], cli.io.columns),
      paragraph(
        'Who verifies receipts from a file of keys gets it anew: portcullis receipt key.',
        cli.io.columns,
      ),
    ),
  );
}
