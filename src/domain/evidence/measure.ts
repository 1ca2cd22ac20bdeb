import type { Metric } from '../agent.ts';
import type { GuardrailLimit } from './baseline.ts';
import { VALUE_MAX } from './eprocess.ts';

/**
 * When an action enters the evidence of a metric, and how what comes of it adds up: `asked` while it waits for people as a
 * proposal, else when it begins. Of a subject-day `asked` and `begun` count any harm, `first` that of its first write, `sum`
 * all values together (STATISTICS 4.2).
 */
export type CountsFrom = 'asked' | 'begun' | 'first' | 'sum';

/** How a write counts in a metric that is about it; `waits`: people have not decided it yet. */
export function countsFrom({ kind, denials }: Metric, waits: boolean): CountsFrom {
  if (kind !== 'any') return kind;
  return denials && waits ? 'asked' : 'begun';
}

/** What a reported value weighs: of a sum the value, else 1 for harm and 0 for none. Where higher is better harm is what falls short (STATISTICS 4.2). */
export function weighed({ kind, direction, above = 0, below = 1 }: Metric, value: number): number {
  if (kind === 'sum') return value;
  return Number(direction === 'higher' ? value < below : value > above);
}

/** Why a value cannot be reported of a metric. */
export function valueProblem({ kind, source }: Metric, value: number): string | undefined {
  if (source) return 'its metric is counted by a source: nothing is reported of it';
  if (kind !== 'sum' || (value >= 0 && value <= VALUE_MAX)) return undefined;
  return `a sum takes values from 0 to ${VALUE_MAX}, not ${value}`;
}

/** The limit as a share of harm: where higher is better, what is left of 1. */
export const harmLimit = ({ direction }: Metric, limit: number): number =>
  direction === 'higher' ? Number((1 - limit).toPrecision(15)) : limit;

/** Why a guardrail on this metric could not act; empty when it can. */
export function unjudgeable(
  { kind, direction, source }: Metric,
  { limit, control }: { limit: GuardrailLimit; control?: object | undefined },
): string[] {
  if (source && control) return ['a source knows no subjects to compare: leave "control" out'];
  if (kind === 'sum' && control) return ['a sum has no harmful subjects to compare: leave "control" out'];
  if (kind === 'sum')
    return typeof limit === 'number' && limit >= 1e-9 && limit <= VALUE_MAX
      ? []
      : [
          `a sum needs a limit of its own, from 1e-9 to ${VALUE_MAX}: no bound on it follows from what is kept of a baseline`,
        ];
  if (typeof limit !== 'number' || limit < 1) return [];
  return direction === 'higher'
    ? [`a limit of ${limit} leaves no room: write the least share that is good enough, below 1`]
    : [`a limit of ${limit} can never be exceeded by a share: write one below 1`];
}

/** What contradicts itself in a metric, by the field that is wrong. */
export function metricProblems(metric: Metric): { field: keyof Metric; message: string; hint: string }[] {
  const { kind, direction, above, below, cap, corrections, denials, source } = metric;
  const sum = kind === 'sum';
  const problems: { field: keyof Metric; message: string; hint: string; is: boolean }[] = [
    {
      field: 'direction',
      is: sum && direction === 'higher',
      message: 'Of a sum only "lower" can be better',
      hint: 'Sum up what is lost or spent instead',
    },
    {
      field: 'above',
      is: above !== undefined && (sum || direction === 'higher'),
      message: sum ? 'A sum has no harm: "above" says nothing' : 'Higher is better: "above" says nothing',
      hint: sum ? 'Leave it out' : 'Write "below": a value below it is harm',
    },
    {
      field: 'below',
      is: below !== undefined && (sum || direction === 'lower'),
      message: sum ? 'A sum has no harm: "below" says nothing' : 'Lower is better: "below" says nothing',
      hint: sum ? 'Leave it out' : 'Write "above", or direction: higher',
    },
    {
      field: 'cap',
      is: cap !== undefined && !sum,
      message: 'Only a sum has a cap',
      hint: 'Leave it out, or write kind: sum',
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
