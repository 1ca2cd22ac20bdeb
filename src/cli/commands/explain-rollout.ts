import type { Command } from 'commander';
import { type Cli, wholeNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import { findRollout } from '../find-rollout.ts';
import { explainedText, verdictsText } from '../text/explain-text.ts';
import { bodyOf } from '../text/log-text.ts';
import type { LogRecord } from '../wire.ts';

const KIND = 'rollout.verdict';
const PAGE_MAX = 1_000;

/** `portcullis rollout explain`. */
export function registerExplain(rollout: Command, cli: Cli): void {
  const explain = rollout
    .command('explain')
    .summary('judge a verdict of the log again, and compare')
    .description(
      'Lists the verdicts of a rollout as they changed, by the number of their log entry. With --verdict one is judged again on this machine, by its entry and nothing else, and compared with what was recorded: exit code 5 when it differs.',
    )
    .argument('<rollout>', 'the agent, or an id or a unique part of it')
    .option('--verdict <number>', 'the log entry of one')
    .action(async (which: string, { verdict }: { verdict?: string }) => {
      const { id } = await findRollout(cli, which);
      if (verdict === undefined) return list(cli, id);
      return explainOne(cli, id, wholeNumber('--verdict', verdict));
    });
  withExample(
    explain,
    'portcullis rollout explain my-agent',
    'portcullis rollout explain my-agent --verdict 42',
  );
}

async function list(cli: Cli, ref: string): Promise<void> {
  const entries: LogRecord[] = [];
  for (let after = 0; ; after = entries.at(-1)?.seq ?? 0) {
    const page = await cli.api.get<{ entries: LogRecord[] }>('/v1/log', {
      ref,
      kind: KIND,
      after,
      limit: PAGE_MAX,
    });
    entries.push(...page.entries);
    if (page.entries.length < PAGE_MAX) break;
  }
  const verdicts = entries.map((entry) => ({ entry: entry.seq, ...verdictOf(entry) }));
  cli.print({ rollout: ref, verdicts }, () => verdictsText(ref, verdicts, cli.io.columns));
}

function verdictOf(entry: LogRecord) {
  const { at, data = {} } = bodyOf(entry);
  const { segment, metric, before, verdict, events, harms, eValue } = data;
  return { at, segment, metric, before, verdict, events, harms, eValue };
}

async function explainOne(cli: Cli, rollout: string, seq: number): Promise<void> {
  const { recompute } = await import('../../domain/evidence/recorded.ts');
  const entry = await cli.api.get<LogRecord>(`/v1/log/entries/${seq}`);
  const { kind, ref, at, data = {} } = bodyOf(entry);
  if (kind !== KIND || ref !== rollout)
    throw new CliError('usage', `Entry ${seq} of the log is no verdict of rollout ${rollout}`, {
      hint: `portcullis rollout explain ${rollout} lists them`,
    });
  const found = recompute(data);
  if (found === undefined)
    throw new CliError('usage', `Entry ${seq} does not hold what its verdict rests on`, {
      hint: 'An older version wrote it: later entries hold it whole',
    });
  const { judged, facts, differences } = found;
  const same = differences.length === 0;
  if (!same) cli.exit = 'unverified';
  const { segment, metric } = data as { segment: string; metric: string };
  const answer = { entry: seq, at, rollout, segment, metric, same, differences, judged, facts };
  cli.print(answer, () => explainedText(answer, cli.io.columns));
}
