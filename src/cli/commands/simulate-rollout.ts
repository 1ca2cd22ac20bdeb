import type { Command } from 'commander';
import type { Agent } from '../../domain/agent.ts';
import type { ForecastPlan } from '../../domain/evidence/forecast.ts';
import type { Harm } from '../../domain/evidence/forecast-play.ts';
import type { Release } from '../../domain/release.ts';
import type { Traffic as TrafficOf } from '../../domain/rollout/forecast-plan.ts';
import { type Cli, collect, wholeNumber, withExample } from '../cli.ts';
import { CliError } from '../failure.ts';
import type { ForecastShown } from '../text/forecast-text.ts';
import type { WireTraffic } from '../wire.ts';

const RUNS_MAX = 10_000;
/** Where no harm is named: each guardrail, harmful at so many times its limit. */
const TIMES_THE_LIMIT = 3;
interface SimulateOptions {
  traffic?: string[];
  days: string;
  harm?: string[];
  runs: string;
  seed: string;
}

/** `portcullis rollout simulate`. */
export function registerSimulate(rollout: Command, cli: Cli): void {
  const simulate = rollout
    .command('simulate')
    .summary('play a rollout before it starts')
    .description(
      'Says how many events and days it would take to notice harm, how often a healthy release would be stopped, which segments are too thin ever to be ok in the time planned, and what exposure would suffice. Sums and ratios are played by their mean (mean= for rate=), a rate with its harms a day and its comparison beside it. The traffic is what was recorded, or --traffic. Nothing is changed; with the manifest of the agent and --traffic for all it needs no service.',
    )
    .argument('<file...>', 'the manifest of a release, and of its agent if it is not applied')
    .option(
      '--traffic <segment=n>',
      'subjects a day with a write, when all of it is exposed; "*" is every other; may be repeated',
      collect,
    )
    .option('--days <n>', 'how far back traffic is looked for', '30')
    .option(
      '--harm <segment=s,metric=m,rate=r>',
      `what goes wrong, may be repeated; of a sum or a ratio mean=, what it comes to in the mean; where it is compared control=, what the release in force does (default: each guardrail at ${TIMES_THE_LIMIT} times its limit, control at half of it)`,
      collect,
    )
    .option('--runs <n>', 'how often it is played', '400')
    .option('--seed <n>', 'the same seed gives the same answer', '1')
    .action((files: string[], options: SimulateOptions) => runSimulate(cli, files, options));
  withExample(
    simulate,
    'portcullis rollout simulate agent.yaml release-2.yaml --traffic "*=40" --harm segment=gold,metric=wrong,rate=0.1',
    'portcullis rollout simulate agent.yaml release-2.yaml --traffic "*=40" --harm segment=gold,metric=cost,mean=1.5',
  );
}

async function runSimulate(cli: Cli, files: readonly string[], options: SimulateOptions): Promise<void> {
  const { oneRelease } = await import('../one-release.ts');
  const hint = 'portcullis rollout simulate --help has an example';
  const { harmOf } = await import('../simulate-input.ts');
  const { release, agent } = await oneRelease(cli, files, hint);
  const { harm = [], ...rest } = options;
  const shown = await forecast(cli, agent, release, {
    ...rest,
    harms: harm.map((text) => harmOf(text, release, agent)),
  });
  const { forecastText } = await import('../text/forecast-text.ts');
  cli.print(shown, () => forecastText(shown, cli.io.columns));
}

interface ForecastOptions extends Omit<SimulateOptions, 'harm'> {
  harms: Harm[];
}

/** What is to be expected of a rollout of the release. @throws CliError `usage` */
export async function forecast(
  cli: Cli,
  agent: Agent,
  release: Release,
  options: ForecastOptions,
): Promise<ForecastShown> {
  const { HALF, randomFrom, reachOf } = await import('../../domain/evidence/forecast.ts');
  const { falseStops, noticedOf } = await import('../../domain/evidence/forecast-play.ts');
  const { forecastPlan, unforecast } = await import('../../domain/rollout/forecast-plan.ts');
  const runs = wholeNumber('--runs', options.runs);
  if (runs > RUNS_MAX) throw new CliError('usage', `--runs is at most ${RUNS_MAX}`);
  const seed = wholeNumber('--seed', options.seed, 0);
  const { traffic, since, days } = await trafficFor(cli, agent, options);
  const plan = forecastPlan(release, agent, traffic);
  const reach = reachOf(plan);
  const harms = options.harms.length > 0 ? options.harms : everyHarm(plan, reach);
  return {
    agent: agent.agent,
    release: release.release,
    alpha: plan.alpha,
    days: plan.days.length,
    traffic: reach.map(({ segment, metric }) => ({
      segment,
      metric,
      subjectsADay: plan.traffic(segment, metric),
    })),
    recorded: since === undefined ? null : { since, days: days ?? 0 },
    guardrails: plan.guardrails,
    reach,
    noticed: noticedOf(plan, harms, runs, randomFrom(seed)),
    healthyStopped: {
      atMost: plan.alpha,
      atTheLimit: falseStops(plan, 1, runs, randomFrom(seed)),
      atHalfOfIt: falseStops(plan, HALF, runs, randomFrom(seed)),
    },
    notPlayed: unforecast(release, agent),
    runs,
    seed,
  };
}

function everyHarm(plan: ForecastPlan, reach: readonly { segment: string; metric: string }[]): Harm[] {
  const guardrails = new Map(plan.guardrails.map((guardrail) => [guardrail.metric, guardrail]));
  return reach.map(({ segment, metric }) => {
    const { limit = 1, values } = guardrails.get(metric) ?? {};
    const level = limit * TIMES_THE_LIMIT;
    if (values === undefined) return { segment, metric, rate: Math.min(1, level) };
    const most = values.kind === 'sum' ? values.cap : undefined;
    return { segment, metric, mean: Math.min(most ?? level, level) };
  });
}

interface Expected {
  traffic: TrafficOf;
  since?: string;
  days?: number;
}

async function trafficFor(cli: Cli, agent: Agent, { traffic, days }: SimulateOptions): Promise<Expected> {
  const { segmentNames } = await import('../../domain/agent.ts');
  const { perDayOf } = await import('../simulate-input.ts');
  const names = segmentNames(agent);
  const given = new Map((traffic ?? []).map((text) => perDayOf(text, names)));
  if (given.has('*') || names.every((name) => given.has(name)))
    return { traffic: (segment) => given.get(segment) ?? given.get('*') ?? 0 };
  const found = await cli.api.get<WireTraffic>(`/v1/agents/${encodeURIComponent(agent.agent)}/traffic`, {
    days: wholeNumber('--days', days),
  });
  const recorded = (segment: string, tool: string | undefined): number =>
    found.segments.find((one) => one.segment === segment && one.tool === (tool ?? null))?.subjectsADay ?? 0;
  return {
    traffic: (segment, tool) => given.get(segment) ?? recorded(segment, tool),
    since: found.since,
    days: found.days,
  };
}
