import type { Metric } from '../agent.ts';
import type { Guardrail } from '../rollout-plan.ts';
import { VALUE_MAX } from './sum-process.ts';

/** What the `per` of one write of a ratio can be at most, where nothing else is said: done or not. */
export const PER_MAX = 1;

/**
 * When an action enters the evidence of a metric, and how what comes of it adds up: `asked` while it waits for people as a
 * proposal, else when it begins. Of a subject-day `asked` and `begun` count any harm, `first` that of its first write, `sum`
 * all values together, `ratio` the value of its first write against what it is set against (STATISTICS 4.2).
 */
export type CountsFrom = 'asked' | 'begun' | 'first' | 'sum' | 'ratio';

/** Whether its values are weighed as they are, not as harm or none. */
export const isWeighed = ({ kind }: Pick<Metric, 'kind'>): boolean => kind === 'sum' || kind === 'ratio';

/** How a write counts in a metric that is about it; `waits`: people have not decided it yet. */
export function countsFrom({ kind, denials }: Metric, waits: boolean): CountsFrom {
  if (kind !== 'any') return kind;
  return denials && waits ? 'asked' : 'begun';
}

/** What a reported value weighs: of a sum or a ratio the value, else 1 for harm and 0 for none. Where higher is better harm is what falls short (STATISTICS 4.2). */
export function weighed(metric: Metric, value: number): number {
  const { direction, above = 0, below = 1 } = metric;
  if (isWeighed(metric)) return value;
  return Number(direction === 'higher' ? value < below : value > above);
}

/** Why a value cannot be reported of a metric, or what it is set against. */
export function valueProblem(metric: Metric, value: number, per?: number): string | undefined {
  const { kind, source, perMax = PER_MAX } = metric;
  if (source) return 'its metric is counted by a source: nothing is reported of it';
  if (kind === 'ratio' && !(per !== undefined && per >= 0 && per <= perMax))
    return `a ratio needs "per", what the value is set against: from 0 to ${perMax}${per === undefined ? '' : `, not ${per}`}`;
  if (kind !== 'ratio' && per !== undefined) return '"per" goes with a metric of kind ratio only';
  if (!isWeighed(metric) || (value >= 0 && value <= VALUE_MAX)) return undefined;
  return `a ${kind} takes values from 0 to ${VALUE_MAX}, not ${value}`;
}

/** The limit as a share of harm: where higher is better, what is left of 1. */
export const harmLimit = ({ direction }: Metric, limit: number): number =>
  direction === 'higher' ? Number((1 - limit).toPrecision(15)) : limit;

/** Why a guardrail on this metric could not act; empty when it can. */
export function unjudgeable(
  metric: Metric,
  { limit, control }: Pick<Guardrail, 'limit' | 'control'>,
): string[] {
  const { kind, direction, source, cap } = metric;
  if (source && control) return ['a source knows no subjects to compare: leave "control" out'];
  if (kind === 'ratio' && control) return ['a ratio is not compared with control: leave "control" out'];
  if (kind === 'sum' && control && !('more' in control))
    return ['a sum has no harmful subjects to compare: write control: { more: <how much more is let pass> }'];
  if (kind === 'sum' && control && cap === undefined)
    return ['a sum is compared with control by its "cap", which something must enforce: write it'];
  if (kind !== 'sum' && control && 'more' in control)
    return ['only a sum can be so much more than control: write control: { ratio: <times> }'];
  if (kind === 'sum' && typeof limit !== 'number')
    return cap === undefined
      ? ['a sum is bounded by its "cap" only, which something must enforce: write it, or a limit of its own']
      : [];
  if (isWeighed(metric))
    return typeof limit === 'number' && limit >= 1e-9 && limit <= VALUE_MAX
      ? []
      : [
          `a ${kind} needs a limit of its own, from 1e-9 to ${VALUE_MAX}: no bound on it follows from what is kept of a baseline`,
        ];
  if (typeof limit !== 'number' || limit < 1) return [];
  return direction === 'higher'
    ? [`a limit of ${limit} leaves no room: write the least share that is good enough, below 1`]
    : [`a limit of ${limit} can never be exceeded by a share: write one below 1`];
}

/** What contradicts itself in a metric, by the field that is wrong. */
export function metricProblems(metric: Metric): { field: keyof Metric; message: string; hint: string }[] {
  const { kind, direction, above, below, cap, perMax, corrections, denials, source } = metric;
  const sum = isWeighed(metric);
  const problems: { field: keyof Metric; message: string; hint: string; is: boolean }[] = [
    {
      field: 'direction',
      is: sum && direction === 'higher',
      message: `Of a ${kind} only "lower" can be better`,
      hint: 'Count what is lost or spent instead',
    },
    {
      field: 'above',
      is: above !== undefined && (sum || direction === 'higher'),
      message: sum ? `A ${kind} has no harm: "above" says nothing` : 'Higher is better: "above" says nothing',
      hint: sum ? 'Leave it out' : 'Write "below": a value below it is harm',
    },
    {
      field: 'below',
      is: below !== undefined && (sum || direction === 'lower'),
      message: sum ? `A ${kind} has no harm: "below" says nothing` : 'Lower is better: "below" says nothing',
      hint: sum ? 'Leave it out' : 'Write "above", or direction: higher',
    },
    {
      field: 'cap',
      is: cap !== undefined && !sum,
      message: 'Only a sum or a ratio has a cap',
      hint: 'Leave it out, or write kind: sum',
    },
    {
      field: 'perMax',
      is: perMax !== undefined && kind !== 'ratio',
      message: 'Only a ratio has a "perMax"',
      hint: 'Leave it out, or write kind: ratio',
    },
    {
      field: 'corrections',
      is: corrections && kind !== 'any',
      message: `A correction is harm, which a metric of kind ${kind} does not count`,
      hint: 'Count corrections in a metric of kind any',
    },
    {
      field: 'denials',
      is: denials && kind !== 'any',
      message: `A denial is harm, which a metric of kind ${kind} does not count`,
      hint: 'Count denials in a metric of kind any',
    },
  ];
  if (source && (kind !== 'any' || direction === 'higher' || above !== undefined || corrections || denials))
    return [
      {
        field: 'source',
        message:
          'A source counts what is harm by itself: no kind, direction, above, corrections or denials go with it',
        hint: 'Let its query count the harm, and leave the others out',
      },
    ];
  return problems.flatMap(({ is, ...problem }) => (is ? problem : []));
}
