import { type Agent, segmentNames } from '../domain/agent.ts';
import type { Harm } from '../domain/evidence/forecast-play.ts';
import { isWeighed } from '../domain/evidence/measure.ts';
import { VALUE_MAX } from '../domain/evidence/sum-process.ts';
import { suggest } from '../domain/nearest.ts';
import { sentence } from '../domain/problem.ts';
import type { Guardrail, Release } from '../domain/release.ts';
import { unforecast } from '../domain/rollout/forecast-plan.ts';
import { realNumber } from './cli.ts';
import { CliError } from './failure.ts';

/** Subjects a day of a segment, as `--traffic` says them; "*" is every other. @throws CliError `usage` */
export function perDayOf(text: string, names: readonly string[]): [string, number] {
  const [, segment = '', figure = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (segment === '')
    throw new CliError('usage', `--traffic: "${text}" is not <segment>=<number>`, { hint: 'Write gold=40' });
  const perDay = realNumber(`--traffic ${segment}`, figure);
  if (perDay < 0) throw new CliError('usage', `--traffic ${segment}: ${figure} is below 0`);
  if (segment !== '*') requireOne('--traffic', 'segment', segment, names);
  return [segment, perDay];
}

/** What the release in force does of a metric whose limit comes with the baseline. @throws CliError `usage` */
export function baselineLevelOf(text: string, release: Release, agent: Agent): [string, number] {
  const [, metric = '', figure = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (metric === '')
    throw new CliError('usage', `--baseline: "${text}" is not <metric>=<level>`, {
      hint: 'Write wrong=0.03',
    });
  const { limit } = guardrailOf('--baseline', metric, release, agent);
  if (typeof limit === 'number')
    throw new CliError('usage', `--baseline: "${metric}" has a limit of its own, ${limit}`, {
      hint: 'Leave it out: only a limit that comes with the baseline needs one',
    });
  const { kind, cap } = agent.metrics[metric] ?? {};
  const level = realNumber(`--baseline ${metric}`, figure);
  const most = kind === 'sum' && cap !== undefined ? cap : 1;
  if (level < 0 || level > most)
    throw new CliError('usage', `--baseline ${metric}: ${figure} must be at least 0 and at most ${most}`);
  return [metric, level];
}

const NAMES = ['segment', 'metric', 'rate', 'mean', 'control'];

/** What goes wrong, as `--harm` says it: a rate or, of a sum or a ratio, a mean. @throws CliError `usage` */
export function harmOf(text: string, release: Release, agent: Agent): Harm {
  const { segment, metric, ...said } = partsOf(text);
  if (segment === undefined || metric === undefined)
    throw notWhole(text, 'a segment, a metric and a rate, or a mean of a sum or a ratio');
  requireOne('--harm', 'segment', segment, segmentNames(agent));
  const guardrail = guardrailOf('--harm', metric, release, agent);
  const { kind, cap } = agent.metrics[metric] ?? { kind: 'any' };
  const [name, other] = isWeighed({ kind }) ? (['mean', 'rate'] as const) : (['rate', 'mean'] as const);
  const told = said[name];
  if (said[other] !== undefined)
    throw new CliError(
      'usage',
      name === 'mean'
        ? `--harm: "${metric}" is a ${kind}, it has no rate: say what it comes to in the mean`
        : `--harm: "${metric}" counts harm, it has no mean: say the part of its events that is harmful`,
      { hint: `Write --harm segment=${segment},metric=${metric},${name}=${exampleOf(guardrail)}` },
    );
  if (told === undefined) throw notWhole(text, `a segment, a metric and a ${name}`);
  const most = name === 'rate' ? 1 : kind === 'sum' && cap !== undefined ? cap : VALUE_MAX;
  const level = levelOf(name, told, most, cap);
  if (said.control !== undefined && guardrail.control === undefined)
    throw new CliError('usage', `--harm: "${metric}" is not compared with the release in force`, {
      hint: 'Leave control= out, or write "control" in its guardrail',
    });
  return {
    segment,
    metric,
    ...(name === 'mean' ? { mean: level } : { rate: level }),
    ...(said.control !== undefined && { control: levelOf('control', said.control, most, cap, 0) }),
  };
}

function partsOf(text: string): Partial<Record<string, string>> {
  const parts: Partial<Record<string, string>> = {};
  for (const part of text.split(',')) {
    const [name = '', value] = part.split('=', 2);
    if (value === undefined) throw notWhole(text, 'a segment, a metric and a rate');
    if (!NAMES.includes(name))
      throw new CliError('usage', `--harm: "${name}" says nothing of a harm`, {
        hint: sentence(suggest(name, NAMES)),
      });
    if (parts[name] !== undefined) throw new CliError('usage', `--harm: "${text}" says ${name} twice`);
    parts[name] = value;
  }
  return parts;
}

const notWhole = (text: string, what: string): CliError =>
  new CliError('usage', `--harm: "${text}" does not name ${what}`, {
    hint: 'Write --harm segment=gold,metric=wrong,rate=0.1 or, of a sum or a ratio, mean=1.5 for the rate',
  });

const exampleOf = ({ limit }: Guardrail): number => (typeof limit === 'number' ? limit : 0.1);

function guardrailOf(option: string, metric: string, release: Release, agent: Agent): Guardrail {
  const { guardrails } = release.rollout;
  const not = unforecast(release, agent).find((one) => one.metric === metric);
  if (not) throw new CliError('usage', `${option}: "${metric}" cannot be played: ${not.because}`);
  const guardrail = guardrails.find((one) => one.metric === metric);
  if (guardrail) return guardrail;
  throw unknown(
    option,
    'guardrail',
    metric,
    guardrails.map((one) => one.metric),
  );
}

function levelOf(name: string, text: string, most: number, cap: number | undefined, least?: number): number {
  const level = realNumber(`--harm ${name}`, text);
  if (level > most && most === cap)
    throw new CliError(
      'usage',
      `--harm: the ${name} is ${text}, above the cap of ${cap} that no value exceeds`,
      {
        hint: `Write at most ${cap}, or change the "cap" of the metric`,
      },
    );
  const isEnough = least === undefined ? level > 0 : level >= least;
  if (isEnough && level <= most) return level;
  const from = least === undefined ? 'above 0' : `at least ${least}`;
  throw new CliError('usage', `--harm: the ${name} is ${text}, it must be ${from} and at most ${most}`);
}

function requireOne(option: string, what: string, name: string, known: readonly string[]): void {
  if (!known.includes(name)) throw unknown(option, what, name, known);
}

const unknown = (option: string, what: string, name: string, known: readonly string[]): CliError =>
  new CliError('usage', `${option}: there is no ${what} "${name}"`, {
    hint: known.length > 0 ? sentence(suggest(name, known)) : 'The release has none',
  });
