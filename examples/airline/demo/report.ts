import type { DeskTally } from '../desk/server.ts';
import type { RolloutStatus } from './api.ts';
import type { Beside } from './business.ts';
import type { Drill } from './drill.ts';
import type { Invariant } from './invariants.ts';
import type { Learned } from './learn.ts';
import { padEnd, padStart, percentOf, type Screen } from './screen.ts';
import type { Count, Flow } from './tally.ts';
import type { Rollback } from './watch.ts';

/** Everything that is known at the end. */
export interface Result {
  recorded: { writes: number; through: number; right: number; wrong: number; refused: number };
  flow: Flow;
  judged: Count;
  afterDivergence: Count;
  rollbacks: (Rollback & { begunAfter: number })[];
  drill: Drill;
  begunWhileOff: number;
  refusedMeanwhile: number;
  desk: DeskTally;
  log: { entries: number; verified: boolean };
  status: RolloutStatus;
  invariants: Invariant[];
  beside: Beside;
  learned: Learned;
  /** Everything there is to see of the rollout, as one page. */
  html: string;
}

/** How the rollout ended, in words: taken back, not earned, or earned. */
export function showEnding(screen: Screen, { status, rollbacks }: Result): void {
  screen.heading('Day 90: what became of the question');
  if (rollbacks.length > 0) {
    const where = rollbacks.map(({ segment }) => segment).join(', ');
    const byCount = rollbacks.some(({ allowed }) => allowed !== undefined);
    screen.item(
      'Answer',
      `No: taken back in ${where}. The evidence that ${byCount ? 'more of its conversations are wrong than the time allows' : 'more than 5 % of its conversations are wrong'} reached the threshold that was set before.`,
    );
  } else if (status.status === 'completed') {
    screen.item('Answer', 'Yes: earned, and in force.');
  } else {
    screen.item(
      'Answer',
      'Not earned. Nothing spoke against it enough to take it back, and too little for it to widen.',
    );
  }
  for (const { detail } of status.waitsFor) screen.item('Waits for', detail);
  screen.item(
    'Mind',
    'One customer made 23 of the 51 cancellations of silver customers: conversations of one customer are alike, so this evidence weighs less than it would from as many customers.',
  );
  screen.line();
  screen.line('Where the candidate got to (a thin group is never widened on hope):');
  for (const { segment, state, exposurePercent, verdicts } of status.segments) {
    const verdict = verdicts.find(({ metric }) => metric === 'wrong-cancellation');
    const more = verdict?.moreNeeded ? `, ${verdict.moreNeeded} more needed` : '';
    const word =
      state === 'exposed' ? `${exposurePercent} %: ${verdict?.verdict ?? 'no-data'}${more}` : WORDS[state];
    screen.line(`  ${padEnd(segment, 14)}${word ?? state}`);
  }
}

const WORDS: Readonly<Record<string, string>> = {
  waiting: 'never: release 1 asked throughout',
  rolled_back: 'taken back: release 1 asks again',
};

/** Two columns: what the recording did on its own, and what came of it behind the gate. */
export function showColumns(
  screen: Screen,
  { recorded, flow, judged, afterDivergence: after }: Result,
): void {
  const row = (name: string, left: number | string, right: number | string) =>
    screen.line(`${padEnd(name, 48)}${padStart(left, 11)}${padStart(right, 14)}`);
  screen.heading('As recorded, and governed');
  row('', 'as recorded', 'governed');
  row('writes the agent tried', recorded.writes, flow.asked);
  row('went through', recorded.through, flow.executed);
  row('  right', recorded.right, judged.rightExecuted + after.rightExecuted);
  row('  wrong', recorded.wrong, judged.wrongExecuted + after.wrongExecuted);
  row("refused by the airline's own tool", recorded.refused, flow.refusedByTool);
  row('stopped before the airline', '-', stoppedOf(judged) + stoppedOf(after));
  screen.line();
  screen.line('Benefit and price, up to the first unexpected write of each conversation:');
  row('  wrong writes stopped (benefit)', '-', judged.wrongStopped);
  row('  wrong writes that got through', '-', judged.wrongExecuted);
  row('  right writes stopped (price)', '-', judged.rightStopped);
  row('  stopped, the airline would have refused them', '-', judged.futileStopped);
  row('  answers asked of people (price)', '-', flow.humanAnswers);
  row('  writes that ran unasked', '-', flow.allowed);
  row('  stopped by the switch or a rollback, asked again', '-', flow.askedAgain);
  screen.line();
  screen.line(`After that first one (another world, counted apart): ${after.asked} writes, of which`);
  screen.line(
    `${after.rightExecuted} right and ${after.wrongExecuted} wrong done, ${stoppedOf(after)} stopped, ${after.refusedByTool} refused by the airline.`,
  );
  screen.line();
  const asked = percentOf(flow.pending, flow.asked);
  screen.line(`${asked} of all writes asked a person. The answer key never errs: with real`);
  screen.line('people some wrong writes would pass, and some right ones would not.');
}

const stoppedOf = (count: Count): number => count.rightStopped + count.wrongStopped + count.futileStopped;

export function showInvariants(screen: Screen, { invariants }: Result): void {
  screen.heading('What must always hold');
  for (const { name, holds, found } of invariants) {
    screen.line(`${holds ? '✓' : '✗'} ${padEnd(name, 46)} ${found}`);
  }
}

/** Where to look further, and how to verify without believing this text. */
export function showCommands(screen: Screen, { dataFolder, url, day, keep, report, week }: Place): void {
  screen.heading('Look further, and verify');
  screen.line(`export PORTCULLIS_DATA=${dataFolder} PORTCULLIS_DAY=${day}`);
  if (keep) screen.line(`The service stays up until Ctrl-C: ${url}; in another terminal:`);
  else screen.line('npx portcullis up      brings the service back; then, in another terminal:');
  screen.line('npx portcullis rollout status');
  screen.line('npx portcullis action list');
  screen.line('npx portcullis log verify      recomputes the log on this machine');
  screen.line();
  screen.line('The whole rollout as one page, the same that rollout report writes:');
  screen.line(report);
  screen.line('The weekly review of the running week, a preview: one that is over is frozen:');
  screen.line(week);
  screen.line();
}

interface Place {
  dataFolder: string;
  url: string;
  day: string;
  keep: boolean;
  /** The file of the rollout's report. */
  report: string;
  /** The file of the weekly review. */
  week: string;
}

/** The one object of `--json`. */
export function jsonOf(result: Result): Record<string, unknown> {
  const { flow, judged, afterDivergence, rollbacks, drill, desk, log, invariants, beside, learned } = result;
  const { rightExecuted, wrongExecuted, rightStopped, wrongStopped, futileStopped } = judged;
  return {
    ...flow,
    rightWritesExecuted: rightExecuted,
    wrongWritesExecuted: wrongExecuted,
    wrongWritesStopped: wrongStopped,
    rightWritesStopped: rightStopped,
    futileWritesStopped: futileStopped,
    afterDivergence,
    rollbacks: rollbacks.map(({ segment, metric, eValue, events, breachToRevokedMs, begunAfter }) => ({
      segment,
      metric,
      eValue,
      events,
      breachToRevokedMs,
      begunAfter,
    })),
    switch: {
      disableMs: drill.disableMs,
      begunAfter: result.begunWhileOff,
      refusedMeanwhile: result.refusedMeanwhile,
    },
    together: beside.status.pairs,
    beside: beside.evidence.map(({ segment, metric, trend, cost }) => ({ segment, metric, trend, cost })),
    recorded: beside.recorded,
    learned: { ...learned, wrong: learned.wrong.length, week: undefined },
    desk: { accepted: desk.accepted, refused: desk.refusedByTool },
    log: { entries: log.entries, verified: log.verified },
    invariants: Object.fromEntries(invariants.map(({ name, holds }) => [name, holds])),
  };
}
