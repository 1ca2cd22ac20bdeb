import type { Metric } from '../agent.ts';
import { type Cost, costOf, costText, workCost } from '../rates.ts';
import { type BusinessCounts, metricOf, tasksOf, writesOf } from './counts.ts';
import { type Figure, plural } from './figure.ts';
import { peopleMinutes } from './people.ts';
import { type Measured, named, type Reading } from './reading.ts';

/** Model, tools, people and declared harm of everything, over the tasks that stayed right: never over calls. */
export function costFigure(counts: BusinessCounts, reading: Reading): Figure {
  const { right } = tasksOf(counts.tasks);
  const { executed } = writesOf(counts.writes);
  const { amount, currency, inputs, unknown } = costParts(counts, reading);
  return {
    name: 'Cost of a task that stayed right',
    value: right === 0 || inputs.length === 0 ? null : amount / right,
    unit: `${currency} per task that stayed right`,
    inputs: [...inputs, plural(right, 'right task')],
    unknown: right === 0 ? ['no task stayed right', ...unknown] : unknown,
    signal:
      executed === 0 || inputs.length === 0
        ? 'no write was executed at a cost that is known'
        : `${Number((amount / executed).toPrecision(4))} ${currency} per executed write`,
  };
}

interface CostParts extends Cost {
  unknown: string[];
}

function costParts(counts: BusinessCounts, reading: Reading): CostParts {
  const { rates } = reading;
  if (rates === undefined)
    return {
      amount: 0,
      currency: 'money',
      inputs: [],
      unknown: ['what anything costs: no rates are declared'],
    };
  const parts = [
    measuredCost(counts, reading, 'model-cost', 'Model'),
    measuredCost(counts, reading, 'tool-cost', 'Tools'),
    peopleCost(counts, reading),
    ...harmCosts(counts, reading),
  ];
  const known = parts.flatMap(({ cost }) => cost ?? []);
  return {
    amount: known.reduce((sum, { amount }) => sum + amount, 0),
    currency: rates.currency,
    inputs: parts.flatMap(({ name, cost }) => (cost ? [`${name}: ${costText(cost)}`] : [])),
    unknown: parts.flatMap(({ unknown }) => unknown),
  };
}

interface CostPart {
  name: string;
  cost?: Cost | undefined;
  unknown: string[];
}

function measuredCost(
  counts: BusinessCounts,
  { metrics, rates }: Reading,
  what: Measured,
  name: string,
): CostPart {
  const measured = named(metrics, what);
  if (measured.length === 0) return { name, unknown: [`${name.toLowerCase()}: no metric measures ${what}`] };
  const costs = measured.map((metric) => {
    const own = counts.metrics.filter((one) => one.metric === metric);
    if (metricOf(own).n === 0)
      return { metric, why: `${name.toLowerCase()}: nothing of ${metric} was reported` };
    const cost = costOf(
      rates,
      metric,
      own.map(({ era, total }) => ({ at: era, count: total })),
    );
    return {
      metric,
      cost,
      why: cost ? undefined : `${name.toLowerCase()}: no rate of ${metric} is declared`,
    };
  });
  const known = costs.flatMap(({ cost }) => cost ?? []);
  const cost = known[0] && {
    amount: known.reduce((sum, { amount }) => sum + amount, 0),
    currency: known[0].currency,
    inputs: known.flatMap(({ inputs }) => inputs),
  };
  return { name, cost, unknown: costs.flatMap(({ why }) => why ?? []) };
}

function peopleCost(counts: BusinessCounts, reading: Reading): CostPart {
  const work = peopleMinutes(counts, reading);
  const cost = workCost(reading.rates, work.parts);
  const unknown = cost ? work.unknown : ['people: no rates declare work.perMinute'];
  return { name: 'People (minutes)', cost, unknown };
}

/** Every rated metric that is no cost by itself is harm: what was reported of it, or the writes of its tool that were called wrong. */
function harmCosts(counts: BusinessCounts, { metrics, rates }: Reading): CostPart[] {
  const rated = [...new Set((rates?.rates ?? []).map(({ metric }) => metric))].sort();
  return rated.flatMap((name): CostPart | [] => {
    const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
    if (metric === undefined || COSTS.has(metric.measures)) return [];
    return { name: `Harm (${name})`, cost: costOf(rates, name, harmOf(counts, name, metric)), unknown: [] };
  });
}

const COSTS: ReadonlySet<Metric['measures']> = new Set(['model-cost', 'tool-cost']);

/** Harmful events of a metric by era; a write that was called wrong is one of each metric that counts corrections and is about it. */
export function harmOf(
  counts: BusinessCounts,
  name: string,
  { kind, tool, decidedBy, corrections, denials }: Metric,
): { at: Date; count: number }[] {
  const reported = counts.metrics
    .filter(({ metric }) => metric === name)
    .map(({ era, harms, total }) => ({ at: era, count: kind === 'sum' ? total : harms }));
  const about = counts.writes.filter((one) => tool === undefined || one.tool === tool);
  const written = about.map(({ era, corrected, correctedUnasked, refused }) => {
    const wrong =
      decidedBy === 'policy'
        ? correctedUnasked
        : decidedBy === 'person'
          ? corrected - correctedUnasked
          : corrected;
    return { at: era, count: (corrections ? wrong : 0) + (denials ? refused : 0) };
  });
  return [...reported, ...written].filter(({ count }) => count > 0);
}
