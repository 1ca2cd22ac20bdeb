import { workAt } from '../rates.ts';
import { type BusinessCounts, tasksOf, writesOf } from './counts.ts';
import { minutesOf, plural } from './figure.ts';
import { named, type Reading } from './reading.ts';

export interface Minutes {
  parts: { at: Date; count: number }[];
  inputs: string[];
  unknown: string[];
}

/** Approver time as it was measured, mending and taking over as they are declared. */
export function peopleMinutes(counts: BusinessCounts, { metrics, rates }: Reading): Minutes {
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
