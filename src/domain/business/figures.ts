import type { Metric } from '../agent.ts';
import type { Cost, Rates } from '../rates.ts';
import { costOf, costText, workAt, workCost } from '../rates.ts';
import { type BusinessCounts, metricOf, tasksOf, writesOf } from './counts.ts';
import { type Figure, minutesOf, plural, shareText } from './figure.ts';

/** What the figures are read with: the manifest says what its metrics measure, the rates what things cost. */
export interface Reading {
  metrics: Readonly<Record<string, Metric>>;
  rates: Rates | undefined;
}

/** The business figures of a segment, or of all of them. Latency and cost are a pair: neither is told alone. */
export interface BusinessSet {
  completion: Figure;
  correction: Figure;
  effort: { waiting: Figure; turns: Figure; contacts: Figure; repeats: Figure; handOvers: Figure };
  cost: Figure;
  latency: Figure;
}

/** All figures over the same writes and tasks. Pure: the same counts give the same figures. */
export function businessSet(counts: BusinessCounts, reading: Reading): BusinessSet {
  return {
    completion: completionOf(counts),
    correction: correctionOf(counts, reading),
    effort: {
      waiting: waitingOf(counts),
      turns: perRight(counts, reading, 'turns', 'Turns per task that stayed right'),
      contacts: perRight(counts, reading, 'contacts', 'Contacts per task that stayed right'),
      repeats: harmShare(counts, reading, 'repeat', 'Came back within 48 hours'),
      handOvers: handOversOf(counts, reading),
    },
    cost: costFigure(counts, reading),
    latency: latencyOf(counts),
  };
}

/** Done and never called wrong, of all that were started: what was withdrawn, expired or handed over stays in. */
function completionOf({ tasks, writes }: BusinessCounts): Figure {
  const { started, open, done, right, handed } = tasksOf(tasks);
  const { executed, failed, unknown } = writesOf(writes);
  return {
    name: 'Tasks that were completed and stayed right',
    value: started === 0 ? null : right / started,
    unit: 'share',
    inputs: [
      `${plural(right, 'task')} right of ${started} started`,
      `${done} done, ${done - right} of them called wrong since; ${open} still open, ${handed} handed to people`,
    ],
    unknown: started === 0 ? ['nobody started a task that is old enough'] : [],
    signal: `executed ${shareText(executed, executed + failed + unknown)} of the writes that ended`,
  };
}

/** Minutes of people: answering, mending and taking over, for each 100 writes that ran. */
function correctionOf(counts: BusinessCounts, { metrics, rates }: Reading): Figure {
  const { executed, corrected } = writesOf(counts.writes);
  const work = peopleMinutes(counts, { metrics, rates });
  const minutes = work.parts.reduce((sum, { count }) => sum + count, 0);
  return {
    name: 'Minutes of people',
    value: executed === 0 ? null : (minutes / executed) * 100,
    unit: 'minutes per 100 writes',
    inputs: [...work.inputs, `${executed} writes executed`],
    unknown: executed === 0 ? ['no write was executed', ...work.unknown] : work.unknown,
    signal: `corrected ${shareText(corrected, executed)} of executed writes`,
  };
}

interface Minutes {
  parts: { at: Date; count: number }[];
  inputs: string[];
  unknown: string[];
}

/** Approver time as it was measured, mending and taking over as they are declared. */
function peopleMinutes(counts: BusinessCounts, { metrics, rates }: Reading): Minutes {
  const { answers, answersMs, untimed, corrected, edited } = writesOf(counts.writes);
  const { handed } = tasksOf(counts.tasks);
  const measured = counts.writes.map(({ era, answersMs: ms }) => ({ at: era, count: minutesOf(ms) }));
  const inputs = [`${plural(minutesOf(answersMs), 'minute')} over ${plural(answers, 'answer')}`];
  if (edited > 0) inputs.push(`${plural(edited, 'write')} edited, within that time`);
  const unknown = untimed > 0 ? [`the time of ${plural(untimed, 'answer')}`] : [];
  const last = counts.writes.at(-1)?.era;
  const work = rates && last ? workAt(rates, last) : undefined;
  const declared: { at: Date; count: number }[] = [];
  const add = (count: number, one: string, each: number | undefined, member: string): void => {
    if (count === 0) return;
    if (each === undefined || last === undefined)
      unknown.push(`the minutes of ${plural(count, one)}: no rates declare work.${member}`);
    else {
      declared.push({ at: last, count: count * each });
      inputs.push(`${plural(count, one)} x ${each} minutes, as declared`);
    }
  };
  add(corrected, 'correction', work?.correction, 'correction');
  if (named(metrics, 'hand-over').length === 0) unknown.push('hand-overs: no metric measures hand-over');
  else add(handed, 'hand-over', work?.handOver, 'handOver');
  return { parts: [...measured, ...declared], inputs, unknown };
}

function waitingOf({ writes, tasks }: BusinessCounts): Figure {
  const { waited, waitedMs, overBlocked, expired } = writesOf(writes);
  const { right } = tasksOf(tasks);
  return {
    name: 'Minutes that a customer waited for approvals',
    value: right === 0 ? null : minutesOf(waitedMs) / right,
    unit: 'minutes per task that stayed right',
    inputs: [
      `${plural(minutesOf(waitedMs), 'minute')} over ${plural(waited, 'write')} that waited`,
      plural(right, 'right task'),
    ],
    unknown: right === 0 ? ['no task stayed right'] : [],
    signal: `${plural(expired, 'write')} expired, ${overBlocked} stopped that were right`,
  };
}

function perRight(
  counts: BusinessCounts,
  { metrics }: Reading,
  what: 'turns' | 'contacts',
  name: string,
): Figure {
  const { n, total } = metricOf(countsOf(counts, metrics, what));
  const { right } = tasksOf(counts.tasks);
  const measured = named(metrics, what);
  return {
    name,
    value: n === 0 || right === 0 ? null : total / right,
    unit: `${what} per task that stayed right`,
    inputs:
      n === 0
        ? []
        : [
            `${plural(total, what.slice(0, -1))} reported (${measured.join(', ')})`,
            plural(right, 'right task'),
          ],
    unknown: whyUnmeasured(measured, what, n),
    signal: `${plural(n, 'report')}`,
  };
}

function harmShare(counts: BusinessCounts, { metrics }: Reading, what: 'repeat', name: string): Figure {
  const { n, harms } = metricOf(countsOf(counts, metrics, what));
  const measured = named(metrics, what);
  return {
    name,
    value: n === 0 ? null : harms / n,
    unit: 'share',
    inputs: n === 0 ? [] : [`${shareText(harms, n)} reported (${measured.join(', ')})`],
    unknown: whyUnmeasured(measured, what, n),
    signal: plural(n, 'report'),
  };
}

function handOversOf({ tasks }: BusinessCounts, { metrics }: Reading): Figure {
  const { started, handed } = tasksOf(tasks);
  const measured = named(metrics, 'hand-over');
  const known = measured.length > 0 && started > 0;
  return {
    name: 'Handed over to people',
    value: known ? handed / started : null,
    unit: 'share',
    inputs: known ? [`${shareText(handed, started)} tasks (${measured.join(', ')})`] : [],
    unknown: known ? [] : [measured.length === 0 ? 'no metric measures hand-over' : 'no task was started'],
    signal: plural(handed, 'report'),
  };
}

/** Model, tools, people and declared harm of everything, over the tasks that stayed right: never over calls. */
function costFigure(counts: BusinessCounts, reading: Reading): Figure {
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

function latencyOf({ writes }: BusinessCounts): Figure {
  const { begun, begunMs, waited } = writesOf(writes);
  return {
    name: 'From asked to begun',
    value: begun === 0 ? null : begunMs / begun / 1_000,
    unit: 'seconds per write that began',
    inputs: [`${plural(begun, 'write')} began, ${waited} waited for people first`],
    unknown: begun === 0 ? ['no write began'] : [],
    signal: `mean over ${plural(begun, 'write')}`,
  };
}

type Measured = NonNullable<Metric['measures']>;

const named = (metrics: Reading['metrics'], what: Measured): string[] =>
  Object.keys(metrics)
    .filter((name) => metrics[name]?.measures === what)
    .sort();

const countsOf = (counts: BusinessCounts, metrics: Reading['metrics'], what: Measured) =>
  counts.metrics.filter(({ metric }) => Object.hasOwn(metrics, metric) && metrics[metric]?.measures === what);

const whyUnmeasured = (measured: readonly string[], what: Measured, n: number): string[] =>
  n > 0
    ? []
    : [
        measured.length === 0
          ? `no metric measures ${what}`
          : `nothing of ${measured.join(', ')} was reported`,
      ];
