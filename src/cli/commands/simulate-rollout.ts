import type { Command } from 'commander';
import type { Agent } from '../../domain/agent.ts';
import type { ForecastPlan, Reach } from '../../domain/evidence/forecast.ts';
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
/** What the release in force is supposed to do where nothing is known of it: one of twenty; of a sum that part of its cap. */
const USUAL_LEVEL = 0.05;
interface SimulateOptions {
  traffic?: string[];
  days: string;
  baseline?: string[];
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
      'Says how many events and days it would take to notice harm, how often a healthy release would be stopped, which segments are too thin ever to be ok in the time planned, and what exposure would suffice. Sums and ratios are played by their mean (mean= for rate=), a rate with its harms a day and its comparison beside it; a limit that comes with the baseline as one with this traffic would lock it, if the release in force goes on as it did, or as --baseline says. The traffic is what was recorded, or --traffic. Nothing is changed; with the manifest of the agent and --traffic for all it needs no service.',
    )
    .argument('<file...>', 'the manifest of a release, and of its agent if it is not applied')
    .option(
      '--traffic <segment=n>',
      'subjects a day with a write, when all of it is exposed; "*" is every other; may be repeated',
      collect,
    )
    .option(
      '--baseline <metric=level>',
      `what the release in force does, where a limit comes with the baseline: the harmful part of its events, of a sum its mean; may be repeated (default: as the last locked baseline measured it, else ${USUAL_LEVEL}, of a sum that part of its cap)`,
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
    'portcullis rollout simulate agent.yaml release-2.yaml --traffic "*=40" --baseline wrong=0.03',
  );
}

async function runSimulate(cli: Cli, files: readonly string[], options: SimulateOptions): Promise<void> {
  const { oneRelease } = await import('../one-release.ts');
  const hint = 'portcullis rollout simulate --help has an example';
  const { baselineLevelOf, harmOf } = await import('../simulate-input.ts');
  const { release, agent, isStored } = await oneRelease(cli, files, hint);
  const { harm = [], baseline = [], ...rest } = options;
  const shown = await forecast(cli, agent, release, {
    ...rest,
    isStored,
    baseline: new Map(baseline.map((text) => baselineLevelOf(text, release, agent))),
    harms: harm.map((text) => harmOf(text, release, agent)),
  });
  const { forecastText } = await import('../text/forecast-text.ts');
  cli.print(shown, () => forecastText(shown, cli.io.columns));
}

interface ForecastOptions extends Omit<SimulateOptions, 'harm' | 'baseline'> {
  harms: Harm[];
  /** What the release in force does of a metric, as it was said. */
  baseline: ReadonlyMap<string, number>;
  /** Whether the service knows the agent: then it is asked what its baselines measured. */
  isStored: boolean;
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
  const { refuseUnlimited, supposingOf } = await import('../simulate-baseline.ts');
  const runs = wholeNumber('--runs', options.runs);
  if (runs > RUNS_MAX) throw new CliError('usage', `--runs is at most ${RUNS_MAX}`);
  const seed = wholeNumber('--seed', options.seed, 0);
  const { traffic, since, days, baselines } = await expectedFor(cli, agent, release, options);
  const supposing = supposingOf(agent, options.baseline, baselines, USUAL_LEVEL);
  const plan = forecastPlan(release, agent, traffic, supposing);
  const reach = reachOf(plan);
  refuseUnlimited(plan, options.harms);
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

function everyHarm(plan: ForecastPlan, reach: readonly Reach[]): Harm[] {
  const guardrails = new Map(plan.guardrails.map((guardrail) => [guardrail.metric, guardrail]));
  return reach.flatMap(({ segment, metric, limit }): Harm | [] => {
    if (limit === null) return [];
    const { values } = guardrails.get(metric) ?? {};
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
  baselines: WireTraffic['baselines'];
}

/** What was recorded, as far as it is not given; of an agent that only files know nothing more is asked than its traffic. */
async function expectedFor(
  cli: Cli,
  agent: Agent,
  { rollout }: Release,
  { traffic, days, baseline, isStored }: ForecastOptions,
): Promise<Expected> {
  const { segmentNames } = await import('../../domain/agent.ts');
  const { perDayOf } = await import('../simulate-input.ts');
  const names = segmentNames(agent);
  const given = new Map((traffic ?? []).map((text) => perDayOf(text, names)));
  const isGiven = given.has('*') || names.every((name) => given.has(name));
  const wanted = rollout.guardrails.some(
    ({ metric, limit }) => typeof limit !== 'number' && !baseline.has(metric),
  );
  const found =
    isGiven && !(isStored && wanted)
      ? undefined
      : await cli.api.get<WireTraffic>(`/v1/agents/${encodeURIComponent(agent.agent)}/traffic`, {
          days: wholeNumber('--days', days),
        });
  const recorded = (segment: string, tool: string | undefined): number =>
    found?.segments.find((one) => one.segment === segment && one.tool === (tool ?? null))?.subjectsADay ?? 0;
  return {
    traffic: (segment, tool) => given.get(segment) ?? given.get('*') ?? recorded(segment, tool),
    ...(!isGiven && found && { since: found.since, days: found.days }),
    baselines: found?.baselines ?? [],
  };
}
