import type { Agent } from '../../domain/agent.ts';
import type { MetricSource, SourceCounts } from '../../domain/metric-source.ts';
import { type Cli, type RegisterCommands, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import type { TestedSource } from '../text/source-text.ts';

interface TestOptions {
  release: string;
  metric?: string;
  segment?: string;
  window: string;
}

/** `portcullis source`. */
export const registerSource: RegisterCommands = (program, cli) => {
  const source = program
    .command('source')
    .summary('try where metrics are counted')
    .description(
      'A metric with a source is counted by Prometheus, by SQL, by a service that answers with JSON, or of what OpenTelemetry sends.',
    );
  const test = source
    .command('test')
    .summary('ask the sources of a manifest, and show what would be counted')
    .description(
      'Asks each source of the manifest once, as the service would for this release, and shows what it sent, what was answered and what of it would count. Needs no service but for what OpenTelemetry sent to it; secrets are read from the environment as the service reads them. Exit code 0: every source said a count, 1: one did not.',
    )
    .argument('<file>', 'the manifest of the agent')
    .requiredOption('--release <version>', 'the release whose events are counted')
    .option('--metric <name>', 'only this metric')
    .option('--segment <name>', 'only this segment (default: each)')
    .option('--window <duration>', 'how much of the time up to now', '1h')
    .action((file: string, options: TestOptions) => runTest(cli, file, options));
  withExample(test, 'portcullis source test agent.yaml --release 2 --metric slow --window 1d');
};

async function runTest(cli: Cli, file: string, options: TestOptions): Promise<void> {
  const { readManifests } = await import('../manifests.ts');
  const { durationMs, isDurationBetween } = await import('../../domain/duration.ts');
  const { segmentNames } = await import('../../domain/agent.ts');
  const { sourcesText } = await import('../text/source-text.ts');
  if (!isDurationBetween(options.window, '1s', '90d'))
    throw new CliError('usage', `--window cannot be "${options.window}"`, {
      hint: 'Write a duration from 1s to 90d',
    });
  const { agents } = await readManifests([file], cli.io.cwd, async () => undefined);
  const agent = agents[0]?.value;
  if (!agent)
    throw new CliError('usage', `${file} is no manifest of an agent`, { hint: 'Name an agent.yaml' });
  const to = new Date();
  const from = new Date(to.getTime() - durationMs(options.window));
  const questions = questionsOf(agent, segmentNames(agent), options);
  const tested: TestedSource[] = [];
  for (const question of questions)
    tested.push(await ask(cli, agent.agent, question, options.release, from, to));
  if (tested.some(({ problem }) => problem !== undefined)) cli.exit = 'refused';
  cli.print({ tested }, () => sourcesText(tested, cli.io.columns));
}

interface Question {
  metric: string;
  source: MetricSource;
  segment: string;
}

/** @throws CliError `usage` for a metric or segment that there is not, or that no source counts */
function questionsOf(agent: Agent, names: readonly string[], { metric, segment }: TestOptions): Question[] {
  if (segment !== undefined && !names.includes(segment))
    throw new CliError('usage', `There is no segment "${segment}"`, {
      hint: `Segments: ${names.join(', ')}`,
    });
  const sourced = Object.entries(agent.metrics).flatMap(([name, { source }]) =>
    // How people answer is counted by the service while a rollout runs: there is nothing to ask.
    source && !source.approvals ? [{ name, source }] : [],
  );
  const asked = sourced.filter(({ name }) => metric === undefined || name === metric);
  if (asked.length === 0)
    throw new CliError(
      'usage',
      metric === undefined ? 'No metric of this agent has a source' : `No source counts a metric "${metric}"`,
      {
        hint:
          sourced.length === 0
            ? 'Add "source" to a metric of the manifest'
            : `With a source: ${sourced.map(({ name }) => name).join(', ')}`,
      },
    );
  return asked.flatMap(({ name, source }) =>
    (segment === undefined ? names : [segment]).map((one) => ({ metric: name, source, segment: one })),
  );
}

async function ask(
  cli: Cli,
  agent: string,
  { metric, source, segment }: Question,
  release: string,
  from: Date,
  to: Date,
): Promise<TestedSource> {
  const { readSource } = await import('../../metric-sources/read.ts');
  const { sourceCredentials } = await import('../../metric-sources/credentials.ts');
  const { SourceFailure } = await import('../../net/source-failure.ts');
  const kind = kindOf(source);
  const time = { from: from.toISOString(), to: to.toISOString() };
  const asked = { metric, segment, kind, ...time };
  if (source.otlp) return { ...asked, ...(await sentTo(cli, agent, { metric, release, segment, ...time })) };
  try {
    const question = { release, segment, arm: 'candidate', from, to };
    const answer = await readSource(source, question, sourceCredentials(cli.io.env));
    return { ...asked, sent: answer.sent, ...('none' in answer ? { none: true as const } : answer.counts) };
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    return { ...asked, sent: [], problem: error.message };
  }
}

const kindOf = (source: MetricSource): string =>
  (['prometheus', 'sql', 'http', 'otlp'] as const).find((kind) => source[kind]) ?? 'none';

/** What the service was sent: it is not asked by us, but by whoever exports. */
async function sentTo(
  cli: Cli,
  agent: string,
  query: Record<'metric' | 'release' | 'segment' | 'from' | 'to', string>,
): Promise<Pick<TestedSource, 'sent' | 'events' | 'harms' | 'none' | 'problem'>> {
  try {
    const path = `/v1/agents/${encodeURIComponent(agent)}/sent-counts`;
    const { counts } = await cli.api.get<{ counts: SourceCounts }>(path, query);
    return { sent: [], ...(counts.events === 0 ? { none: true as const } : counts) };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { sent: [], problem: error.message };
  }
}
