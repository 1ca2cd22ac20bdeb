import { type Cost, costOf, costText, workCost } from '../rates.ts';
import { type BusinessCounts, writesOf } from './counts.ts';
import { minutesOf, plural } from './figure.ts';
import type { Reading } from './reading.ts';

/** What asking people about a tool stopped, beside what it cost everybody else: for keeping the control, or for relaxing it. */
export interface Control {
  tool: string;
  /** Writes that people refused and nobody called right since, with what that harm is declared to cost. */
  stopped: { writes: number; amount: number | null; text: string };
  friction: {
    waitedMinutes: number;
    approverMinutes: number;
    amount: number | null;
    overBlocked: number;
    text: string;
  };
  /** Denied by policy: whether that was harm, nobody said. */
  deniedByPolicy: number;
}

/** Each tool that asked people or denied anything, by name. */
export function controlsOf(counts: BusinessCounts, reading: Reading): Control[] {
  const tools = [...new Set(counts.writes.map(({ tool }) => tool))].filter((tool) => tool !== '').sort();
  return tools.flatMap((tool) => {
    const control = controlOf(tool, counts, reading);
    const { stopped, friction, deniedByPolicy } = control;
    return stopped.writes + friction.waitedMinutes + friction.overBlocked + deniedByPolicy > 0 ? control : [];
  });
}

function controlOf(tool: string, counts: BusinessCounts, reading: Reading): Control {
  const writes = counts.writes.filter((one) => one.tool === tool);
  const { refused, denied, waited, waitedMs, answersMs, overBlocked } = writesOf(writes);
  const harm = harmStopped(tool, writes, reading);
  const people = workCost(
    reading.rates,
    writes.map(({ era, answersMs: ms }) => ({ at: era, count: minutesOf(ms) })),
  );
  const time = `${plural(minutesOf(waitedMs), 'minute')} waited by ${plural(waited, 'write')}, ${plural(minutesOf(answersMs), 'minute')} of approvers`;
  return {
    tool,
    stopped: {
      writes: refused,
      amount: harm?.amount ?? null,
      text: `${plural(refused, 'write')} refused; ${harm ? costText(harm) : 'what such a write costs is not declared'}`,
    },
    friction: {
      waitedMinutes: minutesOf(waitedMs),
      approverMinutes: minutesOf(answersMs),
      amount: people?.amount ?? null,
      overBlocked,
      text: `${time}${people ? ` (${costText(people)})` : ''}, ${overBlocked} stopped that ${overBlocked === 1 ? 'was' : 'were'} right`,
    },
    deniedByPolicy: denied,
  };
}

/** By the dearest rate of a metric that counts corrections of the tool: one write is one harm. */
function harmStopped(
  tool: string,
  writes: BusinessCounts['writes'],
  { metrics, rates }: Reading,
): Cost | undefined {
  const about = Object.entries(metrics).filter(
    ([, metric]) => metric.corrections && (metric.tool === undefined || metric.tool === tool),
  );
  const refused = writes.map(({ era, refused: count }) => ({ at: era, count }));
  return about
    .flatMap(([name]) => costOf(rates, name, refused) ?? [])
    .sort((one, other) => other.amount - one.amount)[0];
}
