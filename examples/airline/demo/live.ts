import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, allWrites, logEntries, type RolloutStatus } from './api.ts';
import type { Calendar } from './calendar.ts';
import type { Drill } from './drill.ts';
import { begunAfterRollback, begunWhileOff, refusedMeanwhile } from './invariants.ts';
import type { AutomaticCancellation } from './outcomes.ts';
import type { Truth } from './recording.ts';
import { figure, padEnd, padStart, type Screen } from './screen.ts';
import { AGENT } from './setup.ts';
import { countOf, type Fate, fatesOf, flowOf } from './tally.ts';
import { type Rollback, thresholdOf } from './watch.ts';

const SETTLE_MS = 50;
const SETTLE_TRIES = 16;
const METRIC = 'wrong-cancellation';
const SEGMENTS = ['silver-test', 'silver', 'gold', 'regular'];

/** What is shown while the days pass. */
export class Live {
  readonly #screen: Screen;
  readonly #auditor: Api;
  readonly #truth: Truth;
  readonly #rolloutId: string;
  readonly #calendar: Calendar;
  readonly #cancelled: AutomaticCancellation[] = [];
  #lines: Promise<void> = Promise.resolve();
  #intoCandidate = false;

  constructor(deps: { screen: Screen; auditor: Api; truth: Truth; rolloutId: string; calendar: Calendar }) {
    this.#screen = deps.screen;
    this.#auditor = deps.auditor;
    this.#truth = deps.truth;
    this.#rolloutId = deps.rolloutId;
    this.#calendar = deps.calendar;
  }

  /** Every automatic cancellation so far, in the order of their reports. */
  get cancelled(): readonly AutomaticCancellation[] {
    return this.#cancelled;
  }

  /** Resolves when all that was begun is on the screen. @throws what kept a line from being made */
  shown(): Promise<void> {
    return this.#lines;
  }

  /** One block after the other, whatever happens meanwhile. */
  #then(show: () => Promise<void>): void {
    this.#lines = this.#lines.then(show);
    this.#lines.catch(() => {});
  }

  async #fates(): Promise<{ fates: Fate[]; rows: Awaited<ReturnType<typeof allWrites>> }> {
    const rows = await allWrites(this.#auditor, AGENT);
    return { rows, fates: fatesOf(rows, this.#truth) };
  }

  /** A line every ten days: what was asked, done and stopped so far. */
  progress(day: number): void {
    this.#then(async () => {
      const { rows, fates } = await this.#fates();
      const { asked, executed, deniedByPerson, allowed } = flowOf(rows, fates);
      const columns = [
        `${padStart(asked, 3)} writes asked`,
        `${padStart(executed, 3)} done`,
        `${padStart(deniedByPerson, 3)} denied by people`,
        `${padStart(allowed, 2)} ran unasked`,
      ];
      this.#screen.line(`day ${padStart(day, 2)}  ${columns.join('  ')}`);
    });
  }

  step(status: RolloutStatus): void {
    this.#then(async () => {
      if (status.step === 2) await this.#showBaseline(status);
      if (status.step === 1) return;
      const exposed = status.segments.filter(({ exposurePercent }) => exposurePercent > 0);
      const where = exposed
        .map(({ segment, exposurePercent }) => `${segment} ${exposurePercent} %`)
        .join(', ');
      this.#screen.line();
      this.#screen.line(`Day ${status.day}, step ${status.step} of ${status.steps} (${status.phase}).`);
      this.#screen.line(`The candidate now decides for: ${where || 'nobody'}.`);
      if (this.#intoCandidate) return;
      this.#intoCandidate = true;
      this.#screen.item(
        'e-value',
        'how strongly the conversations so far speak against "at most 5 % wrong". 1 says nothing; at the threshold the permission is taken back, whenever one looks.',
      );
    });
  }

  async #showBaseline(status: RolloutStatus): Promise<void> {
    const { fates } = await this.#fates();
    const baseline = fates.filter(({ row }) => row.phase === 'baseline');
    this.#screen.heading('Days 1 to 30: every write asked a person');
    this.#screen.line(
      `${padEnd('segment', 13)}${padStart('writes', 7)}${padStart('right', 9)}${padStart('wrong', 9)}${padStart('refused', 10)}`,
    );
    for (const segment of [...SEGMENTS, 'all']) {
      const count = countOf(baseline.filter(({ row }) => segment === 'all' || row.segment === segment));
      const { asked, rightExecuted, wrongStopped, futileStopped } = count;
      this.#screen.line(
        `${padEnd(segment, 13)}${padStart(asked, 7)}${padStart(rightExecuted, 9)}${padStart(wrongStopped, 9)}${padStart(futileStopped, 10)}`,
      );
    }
    this.#screen.line('right: approved and done. wrong: denied. refused: denied too, and refused by');
    this.#screen.line("the airline's own tool when they were recorded.");
    const { open } = countOf(baseline);
    if (open > 0) this.#screen.line(`${open} had not ended when this was counted.`);
    this.#screen.item(
      'Baseline',
      `locked and never edited again; SHA-256 ${status.baselineDigest?.slice(0, 32) ?? '?'}…`,
    );
  }

  /** A line for each automatic cancellation: was it wrong, and what is the evidence now. */
  cancellation(done: AutomaticCancellation): void {
    this.#cancelled.push(done);
    const day = this.#calendar.today;
    const wrongSoFar = new Set(
      this.#cancelled
        .filter(({ wrong, segment }) => wrong && segment === done.segment)
        .map(({ callId }) => callId.split('/')[0]),
    ).size;
    this.#then(async () => {
      const verdict = await this.#settled(done, wrongSoFar);
      const evidence = verdict
        ? `${padStart(verdict.harms ?? 0, 2)} of ${padStart(verdict.events, 2)} wrong   e-value ${padStart(figure(verdict.eValue), 5)} of ${figure(thresholdOf(verdict))}`
        : 'taken back, see below';
      const word = done.wrong ? 'WRONG' : 'right';
      this.#screen.line(
        `day ${padStart(day, 2)}  ${padEnd(done.callId, 8)} ${padEnd(done.segment, 12)}${word}   ${evidence}`,
      );
    });
  }

  /** The judge works within a moment of the outcome: look until it has. */
  async #settled(done: AutomaticCancellation, wrongSoFar: number) {
    for (let tried = 1; ; tried++) {
      const status = await this.#auditor.get<RolloutStatus>(`/v1/rollouts/${this.#rolloutId}`);
      const segment = status.segments.find((one) => one.segment === done.segment);
      const verdict = segment?.verdicts.find(({ metric }) => metric === METRIC);
      const judged = !verdict || (verdict.harms ?? 0) >= wrongSoFar;
      if (segment?.state === 'rolled_back') return undefined;
      if ((tried > 1 && judged) || tried >= SETTLE_TRIES) return verdict;
      await sleep(SETTLE_MS);
    }
  }

  rollback(rollback: Rollback): void {
    const day = this.#calendar.today;
    this.#then(async () => {
      const { segment, eValue, threshold, events, harms, allowed, because, breachToRevokedMs, verified } =
        rollback;
      const entries = await logEntries(this.#auditor, ['action.begun', 'rollout.rolled_back']);
      const { rows } = await this.#fates();
      const status = await this.#auditor.get<RolloutStatus>(`/v1/rollouts/${this.#rolloutId}`);
      const others = status.segments.filter((one) => one.segment !== segment && one.state === 'rolled_back');
      const through = this.#cancelled.filter((one) => one.segment === segment && one.wrong);
      this.#screen.heading(`Day ${day}: taken back in ${segment}`);
      this.#screen.item(
        'Evidence',
        `${harms} of ${events} conversations with a wrong cancellation ${because}${allowed === undefined ? '' : `, in a time that allows ${figure(allowed)} (harms a day, a count of its own)`}: e-value ${figure(eValue)}, threshold ${figure(threshold)}`,
      );
      this.#screen.item(
        'Speed',
        `${breachToRevokedMs} ms from the deciding outcome to the revoked permission (real clock)`,
      );
      this.#screen.item(
        'After it',
        `${begunAfterRollback(entries, segment, rows)} writes of the candidate began${verified ? '; read back and verified' : ''}`,
      );
      this.#screen.item(
        'Got through',
        through.map(({ callId, afterDivergence }) => callId + (afterDivergence ? '*' : '')).join(', ') ||
          'none',
      );
      if (through.some((one) => one.afterDivergence))
        this.#screen.item('', '(* after the first unexpected write of its conversation)');
      this.#screen.item(
        'Elsewhere',
        others.length === 0
          ? 'no other segment was touched'
          : `also taken back: ${others.map((one) => one.segment).join(', ')}`,
      );
      this.#screen.item(
        'Now',
        `${segment} is back on release 1: every write asks. Only a person can let the candidate in again.`,
      );
      this.#screen.line();
    });
  }

  drill(drill: Drill): void {
    this.#then(async () => {
      const { rows } = await this.#fates();
      const entries = await logEntries(this.#auditor, ['action.begun']);
      this.#screen.heading(`Day ${drill.day}: on-call pulls the switch, under load`);
      this.#screen.item(
        'Off',
        `${drill.state} after ${drill.disableMs.toFixed(0)} ms, answer included (${drill.offAtMs.toFixed(0)} ms inside the service). ${drill.openWrites} writes were under way: ${drill.inFlight} had begun and could still land, ${drill.voided} were ended`,
      );
      this.#screen.item(
        'While off',
        `${begunWhileOff(entries, drill, rows)} writes began; ${refusedMeanwhile(rows)} were refused, and asked again when it was released after 2 s`,
      );
      this.#screen.line();
    });
  }
}
