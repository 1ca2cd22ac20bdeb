import type { Rates } from '../../domain/rates.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { ratesText } from '../text/rates-text.ts';

/** `portcullis rates`. */
export const registerRates: RegisterCommands = (program, cli) => {
  const rates = program
    .command('rates')
    .summary('declare what harm costs')
    .description(
      'What a harmful event costs, or a unit of a sum, as an owner declares it. Every breach and report says what it comes to, with its inputs; no judgement rests on it.',
    );
  const apply = rates
    .command('apply')
    .summary('declare the rates of a file')
    .argument('<file>', 'rates of one agent (YAML or JSON)')
    .option('--check', 'only check the file, without the service')
    .action((file: string, { check = false }: { check?: boolean }) => runApply(cli, file, check));
  withExample(apply, 'portcullis rates apply rates.yaml');
  const show = rates
    .command('show')
    .summary('the rates in force')
    .argument('<agent>', 'the agent')
    .action(async (agent: string) => {
      const found = await cli.api.get<Rates>(`/v1/agents/${encodeURIComponent(agent)}/rates`);
      cli.print(found, () => ratesText(found, cli.io.columns));
    });
  withExample(show, 'portcullis rates show airline-desk');
};

async function runApply(cli: Cli, file: string, check: boolean): Promise<void> {
  const { formatProblems, readRates } = await import('../../domain/manifest/manifest.ts');
  const { readManifestText } = await import('../list-files.ts');
  const read = readRates(file, await readManifestText(file, cli.io.cwd));
  if (!read.ok)
    throw new CliError('usage', `${formatProblems(read.problems)}\nNothing was applied`, {
      code: 'manifest_invalid',
      details: { problems: read.problems },
    });
  const rates = read.value;
  if (check)
    return cli.print({ valid: true, agent: rates.agent }, () => `${file}: valid rates of ${rates.agent}`);
  const { body: applied } = await cli.api.request<{ changed: boolean; revision: number }>(
    'PUT',
    `/v1/agents/${encodeURIComponent(rates.agent)}/rates`,
    { json: rates },
  );
  cli.print(applied, () =>
    applied.changed
      ? `Applied as revision ${applied.revision}. ${ratesText(rates, cli.io.columns)}`
      : `Nothing to apply: revision ${applied.revision} says the same`,
  );
}
