import { costFigure } from './cost.ts';
import { type BusinessCounts, metricOf, tasksOf, writesOf } from './counts.ts';
import { type Figure, minutesOf, plural, shareText } from './figure.ts';
import { peopleMinutes } from './people.ts';
import { countsOf, named, type Reading, whyUnmeasured } from './reading.ts';

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
