import { costText } from '../../../src/domain/rates.ts';
import type { RolloutReport, RolloutStatus } from './api.ts';
import type { Screen } from './screen.ts';

/** What was seen beside the question: of each segment at the moment it was taken back, else at the end. */
export interface Beside {
  status: Pick<RolloutStatus, 'pairs' | 'segments'>;
  evidence: RolloutReport['evidence'];
  /** What became of the conversations when they were recorded. */
  recorded: { conversations: number; solved: number; escalated: number; thousandChars: number };
}

/** The evidence of a segment is that of the moment it was taken back, when its last days were those of the candidate. */
export function evidenceAt(
  atRollback: ReadonlyMap<string, RolloutReport>,
  atEnd: RolloutReport,
): RolloutReport['evidence'] {
  return atEnd.evidence.map((last) => {
    const then = atRollback
      .get(last.segment)
      ?.evidence.find(({ segment, metric }) => segment === last.segment && metric === last.metric);
    return { ...last, trend: then ? then.trend : last.trend };
  });
}

/** Latency and cost, escalations, corrections and money: only what was measured here, recorded or declared, and which. */
export function showBeside(screen: Screen, { status, evidence, recorded }: Beside): void {
  screen.heading('Beside the question');
  for (const { segment, verdict, metrics } of status.pairs)
    screen.line(
      `${segment} ${verdict} together (${metrics.map((one) => `${one.metric} ${one.verdict}`).join(', ')})`,
    );
  if (status.pairs.length === 0) screen.line('Nobody met the candidate: latency and cost were not judged.');
  for (const text of latencyLines(status)) screen.item('Latency', text);
  screen.item(
    '',
    'It is what the gate itself takes, from asking to beginning: measured now on this machine, with stand-ins that answer at once. The recording has no clock, so how fast the airline is nobody knows.',
  );
  for (const text of costLines(status)) screen.item('Cost', text);
  screen.item(
    '',
    'It is what the model read and wrote as recorded; a token is about four characters. The recording has no prices.',
  );
  screen.line();
  screen.line('The last days of the candidate, beside the same weekdays before the release:');
  trendItem(screen, 'Escalations', evidence, 'handed-over');
  screen.item('', 'Handed over as recorded: chance alone puts one in either arm, so no trend is due.');
  trendItem(screen, 'Corrections', evidence, 'corrected');
  screen.item('', 'Before it a person saw every write, and the answer key never errs.');
  screen.line();
  screen.line('Money, as rates.yaml declares it (assumptions of its owner, not measured):');
  const costs = evidence.flatMap(({ segment, metric, cost }) =>
    cost ? [`${metric} in ${segment} ${costText(cost)}`] : [],
  );
  for (const text of costs) screen.item('', text);
  if (costs.length === 0) screen.item('', 'nothing to price: nobody met the candidate');
  screen.item(
    'As recorded',
    `${recorded.solved} of ${recorded.conversations} tasks solved, ${recorded.escalated} handed over, ${Math.round(recorded.thousandChars)} thousand characters each: the run that nobody governed. None of it is an effect of Portcullis.`,
  );
}

const verdictsOf = ({ segments }: Beside['status'], metric: string) =>
  segments.flatMap(({ verdicts }) => verdicts.filter((one) => one.metric === metric));

const latencyLines = (status: Beside['status']): string[] =>
  verdictsOf(status, 'latency').map(
    ({ segment, events, harms }) =>
      `${harms ?? 0} of ${events} conversations in ${segment} waited longer than a second.`,
  );

const costLines = (status: Beside['status']): string[] =>
  verdictsOf(status, 'cost').map(
    ({ segment, events, estimate }) =>
      `${estimate === null ? '-' : Math.round(estimate)} thousand characters a conversation in ${segment}, of ${events}.`,
  );

function trendItem(screen: Screen, name: string, evidence: RolloutReport['evidence'], metric: string): void {
  const told = evidence.flatMap(({ segment, metric: of, trend }) =>
    of === metric && trend ? [{ segment, ...trend }] : [],
  );
  for (const { segment, fromDay, toDay, events, harms, expected, compared } of told) {
    const some = compared < events ? `, of the ${compared} on weekdays that had any` : '';
    screen.item(
      name,
      `${harms} among ${events} conversations in ${segment} on days ${fromDay + 1} to ${toDay + 1}; before it ${Number(expected.toPrecision(2))} would be expected${some}.`,
    );
  }
  if (told.length === 0)
    screen.item(name, 'nothing to compare: nobody met the candidate, or nobody came on such weekdays before');
}
