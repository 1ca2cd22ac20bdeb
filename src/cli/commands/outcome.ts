import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Cli, type RegisterCommands, realNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { wholeId } from '../ids.ts';

const BATCH_MAX = 500;

interface Outcome {
  id: string;
  action: string;
  metric: string;
  value: number;
  per?: number;
}

interface RecordOptions {
  action?: string;
  metric?: string;
  value?: string;
  per?: string;
  id?: string;
  file?: string;
}

interface Recorded {
  recorded: number;
  repeated: number;
}

/** `portcullis outcome`. */
export const registerOutcome: RegisterCommands = (program, cli) => {
  const outcome = program.command('outcome').summary('report measured facts about actions');
  outcome.description('An outcome is a measured fact about an action; metrics add them up.');
  const record = outcome
    .command('record')
    .summary('record one outcome, or a file of them')
    .description(
      'Records outcomes. They are idempotent by id: repeating a command or a file changes nothing. A file has one JSON object a line: {"id", "action", "metric", "value"}, of a ratio with "per".',
    )
    .argument('<agent>', 'the agent')
    .option('--action <id>', 'the action it is about')
    .option('--metric <metric>', 'a metric of the agent')
    .option('--value <number>', 'what was measured; above 0 is harm for metrics of kind any')
    .option('--per <number>', 'of a ratio: what the value is set against')
    .option('--id <id>', 'its own id (default: <action>/<metric>)')
    .option('--file <outcomes.jsonl>', 'many at once')
    .action(async (agent: string, options: RecordOptions) => {
      const outcomes = options.file ? await outcomesOf(cli, options.file) : [await oneOutcome(cli, options)];
      const recorded = await send(cli, agent, outcomes);
      cli.print(recorded, () => {
        const again = recorded.repeated > 0 ? `, ${recorded.repeated} were there before` : '';
        return `Recorded ${recorded.recorded} of ${outcomes.length}${again}.`;
      });
    });
  withExample(
    record,
    'portcullis outcome record my-agent --action 0193a7c4-5e2f --metric wrong --value 1',
    'portcullis outcome record my-agent --file outcomes.jsonl',
  );
};

async function oneOutcome(
  cli: Cli,
  { action: given, metric, value, per, id }: RecordOptions,
): Promise<Outcome> {
  if (given === undefined || metric === undefined || value === undefined) {
    throw new CliError('usage', 'Give --action, --metric and --value, or --file', {
      hint: 'portcullis outcome record --help has an example',
    });
  }
  const number = realNumber('--value', value);
  const action = await wholeId(cli, 'action', given);
  const against = per === undefined ? {} : { per: realNumber('--per', per) };
  return { id: id ?? `${action}/${metric}`, action, metric, value: number, ...against };
}

/** @throws CliError `usage` naming every line that is not an outcome */
async function outcomesOf(cli: Cli, file: string): Promise<Outcome[]> {
  const lines = (await readFile(resolve(cli.io.cwd, file), 'utf8')).split('\n');
  const wrong: string[] = [];
  const outcomes = lines.flatMap((line, at): Outcome[] => {
    if (line.trim() === '') return [];
    const outcome = outcomeOf(line);
    if (typeof outcome !== 'string') return [outcome];
    wrong.push(`${file}:${at + 1} ${outcome}`);
    return [];
  });
  if (wrong.length > 0) throw new CliError('usage', `${wrong.join('\n')}\nNothing was recorded`);
  if (outcomes.length === 0) throw new CliError('usage', `${file} holds no outcomes`);
  return outcomes;
}

function outcomeOf(line: string): Outcome | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'is not JSON';
  }
  const { id, action, metric, value: measured, per, ...rest } = (value ?? {}) as Record<string, unknown>;
  const unknown = Object.keys(rest);
  if (unknown.length > 0) return `has the unknown key "${unknown[0]}"`;
  for (const [key, text] of Object.entries({ id, action, metric })) {
    if (typeof text !== 'string' || text === '') return `needs "${key}" as text`;
  }
  if (typeof measured !== 'number') return 'needs "value" as a number';
  if (per !== undefined && typeof per !== 'number') return 'needs "per" as a number';
  const against = per === undefined ? {} : { per };
  return { id: String(id), action: String(action), metric: String(metric), value: measured, ...against };
}

/** Each batch is all or nothing; what came before a failure stays, and is skipped when the file is sent again. */
async function send(cli: Cli, agent: string, outcomes: readonly Outcome[]): Promise<Recorded> {
  const sum = { recorded: 0, repeated: 0 };
  for (let at = 0; at < outcomes.length; at += BATCH_MAX) {
    const batch = outcomes.slice(at, at + BATCH_MAX);
    try {
      const { recorded, repeated } = await cli.api.post<Recorded>('/v1/outcomes', { agent, outcomes: batch });
      sum.recorded += recorded;
      sum.repeated += repeated;
    } catch (error) {
      if (at === 0 || !(error instanceof CliError)) throw error;
      throw new CliError(error.exit, `${error.message}\nThe first ${at} are recorded, the others are not`, {
        hint: error.hint ?? 'Send the file again: what is recorded is skipped',
        code: error.code,
        details: { ...error.details, ...sum },
      });
    }
  }
  return sum;
}
