import { setTimeout as sleep } from 'node:timers/promises';
import { startAnswerKey } from './answer-key.ts';
import { allWrites, type LogEntry, logEntries, type RolloutReport } from './api.ts';
import { evidenceAt } from './business.ts';
import { Calendar, DAYS } from './calendar.ts';
import { showCard } from './card.ts';
import { DeskRefusal } from './desk-process.ts';
import { BURST, type Drill, SwitchDrill } from './drill.ts';
import {
  begunAfterRollback,
  begunWhileOff,
  checkInvariants,
  KINDS_READ,
  refusedMeanwhile,
} from './invariants.ts';
import { type Learned, learn } from './learn.ts';
import { Live } from './live.ts';
import type { DemoOptions } from './options.ts';
import { createReporter } from './outcomes.ts';
import { Player } from './player.ts';
import { asRecorded, type Conversation, type Recording, runsAsRecorded } from './recording.ts';
import type { Result } from './report.ts';
import type { Screen } from './screen.ts';
import { AGENT, type Stage, startGoverning } from './setup.ts';
import { countApart, fatesOf, flowOf, wrongSums } from './tally.ts';
import { type Rollback, watchRollout } from './watch.ts';

const PROGRESS_DAYS = 10;
const SEQUENCED_WITHIN_MS = 5_000;

/** The 90 days, from the first manifest to the figures. */
export async function runDays(
  stage: Stage,
  screen: Screen,
  options: DemoOptions,
  conversations: readonly Conversation[],
  { truth, runs }: Pick<Recording, 'truth' | 'runs'>,
): Promise<Result> {
  const { cast, desk, service } = stage;
  const probes = await probe(stage, screen);
  const rollout = await startGoverning(stage, options.slack);
  const calendar = new Calendar(rollout.startedAt, options.dayMs);
  const live = new Live({ screen, auditor: cast.auditor, truth, rolloutId: rollout.id, calendar });
  const rollbacks: Rollback[] = [];
  const looks = new Map<string, Promise<RolloutReport>>();
  const reportOf = () =>
    cast.auditor.get<{ report: RolloutReport; html: string }>(`/v1/rollouts/${rollout.id}/report?html=true`);
  const watch = watchRollout({
    id: rollout.id,
    auditor: cast.auditor,
    manager: cast.manager,
    events: {
      step: (status) => live.step(status),
      rollback: (rollback) => {
        rollbacks.push(rollback);
        const look = reportOf().then(({ report }) => report);
        look.catch(() => {});
        looks.set(rollback.segment, look);
        live.rollback(rollback);
      },
    },
  });
  const answerKey = startAnswerKey({
    api: cast.answerKey,
    viewer: cast.viewer,
    truth,
    firstCard: showCard(screen),
  });
  const report = createReporter(cast.reporter, truth, runs);
  const drill = new SwitchDrill();
  const player = new Player({
    url: service.url,
    token: cast.agentToken,
    desk,
    calendar,
    whenOn: drill.whenOn,
    burst: BURST,
    onDone: async (done) => {
      const cancellation = await report(done);
      if (cancellation) live.cancellation(cancellation);
    },
  });
  const days = Promise.all([
    player.play(conversations),
    drill.run(cast.onCall, calendar, player).then((pulled) => {
      live.drill(pulled);
      return pulled;
    }),
    tellProgress(live, calendar),
  ]);
  const broken = Promise.race([answerKey.failed, watch.failed]).then(() =>
    Promise.reject(new Error('a stand-in stopped')),
  );
  broken.catch(() => {});
  const [, pulled] = await Promise.race([days, broken]);
  await answerKey.stop();
  await watch.stop();
  const status = await watch.look();
  await live.shown();
  const seen = await Promise.all([...looks].map(async ([segment, look]) => [segment, await look] as const));
  const { report: atEnd, html } = await reportOf();
  const beside = {
    status,
    evidence: evidenceAt(new Map(seen), atEnd),
    recorded: runsAsRecorded(conversations, runs),
  };
  const learned = await learn(
    { ...cast, reporter: cast.answerKey, owner: cast.manager, other: cast.secondOwner, truth, rollbacks },
    await allWrites(cast.auditor, AGENT),
  );
  const found = await figures(stage, {
    options,
    conversations,
    truth,
    rollbacks,
    pulled,
    status,
    probes,
    learned,
  });
  return { ...found, learned, beside, html };
}

/** Shows that the desk is no open door: a write without a credential. */
async function probe({ desk }: Stage, screen: Screen): Promise<number> {
  const call = {
    tool: 'cancel_reservation',
    conversation: 'none',
    call: 0,
    args: { reservation_id: 'AAAAAA' },
  };
  const refusal = await desk.use(call, undefined).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(refusal instanceof DeskRefusal)) throw new Error('The desk did a write without a credential');
  screen.line();
  screen.item(
    'The desk',
    `a process of its own (pid ${desk.pid}) that stands for the airline. It does a write only for a credential made for exactly that write; asked without one it answered ${refusal.status} ${refusal.code}.`,
  );
  return 1;
}

async function tellProgress(live: Live, calendar: Calendar): Promise<void> {
  for (let day = PROGRESS_DAYS; day <= DAYS; day += PROGRESS_DAYS) {
    await calendar.until(day);
    if (day !== 30) live.progress(day);
  }
}

interface Known {
  options: DemoOptions;
  conversations: readonly Conversation[];
  truth: Recording['truth'];
  rollbacks: readonly Rollback[];
  pulled: Drill;
  status: Result['status'];
  probes: number;
  learned: Learned;
}

async function figures(
  { cast, desk }: Stage,
  known: Known,
): Promise<Omit<Result, 'beside' | 'html' | 'learned'>> {
  const { truth, conversations, pulled: drill, status, options, probes } = known;
  const log = await verifiedLog(cast.auditor);
  const rows = await allWrites(cast.auditor, AGENT);
  const entries: LogEntry[] = await logEntries(cast.auditor, KINDS_READ);
  const tally = await desk.tally();
  const fates = fatesOf(rows, truth);
  const flow = flowOf(rows, fates);
  const { judged, afterDivergence } = countApart(fates);
  const rollbacks = known.rollbacks.map((rollback) => ({
    ...rollback,
    begunAfter: begunAfterRollback(entries, rollback.segment, rows),
  }));
  const sums = wrongSums(flow, judged, afterDivergence);
  const invariants = checkInvariants({
    entries,
    rows,
    desk: tally,
    log,
    drill,
    rollbacks,
    wrongSums: sums,
    control: options.control,
    probes,
    learned: known.learned,
  });
  return {
    recorded: asRecorded(conversations, truth),
    flow,
    judged,
    afterDivergence,
    rollbacks,
    drill,
    begunWhileOff: begunWhileOff(entries, drill, rows),
    refusedMeanwhile: refusedMeanwhile(rows),
    desk: tally,
    log,
    status,
    invariants,
  };
}

/** Committed entries get their numbers within a moment: verify when all have. */
async function verifiedLog(auditor: Stage['cast']['auditor']) {
  const givenUp = performance.now() + SEQUENCED_WITHIN_MS;
  for (;;) {
    const log = await auditor.get<{ verified: boolean; entries: number; tail: number }>('/v1/log/verify');
    if (log.tail === 0 || performance.now() > givenUp) return log;
    await sleep(50);
  }
}
