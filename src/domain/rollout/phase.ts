import { type Freeze, freezeText } from '../freeze.ts';
import type { OnVerdict } from '../rollout-plan.ts';
import { type ArmsFacts, armsWaits } from './arms-waits.ts';
import { daysFor } from './days-for.ts';
import { earlyWaits } from './early-waits.ts';
import { agoText, type Paused, pausedText } from './paused.ts';
import type { Step } from './steps.ts';

/** Where one segment stands, as the next move is decided from it. */
export interface SegmentFacts {
  segment: string;
  exposure: number;
  generation: number;
  state: 'waiting' | 'exposed' | 'rolled_back' | 'excluded';
  /** People confirm each write of the candidate there, because of its evidence. */
  asks?: boolean;
}

/** The latest verdict of one guardrail in one segment. */
export interface VerdictFacts {
  segment: string;
  metric: string;
  verdict: 'ok' | 'breach' | 'inconclusive' | 'no-data' | 'source-down';
  events: number;
  /** Events somebody reported on: only they fill a sample. */
  known: number;
  moreNeeded: number | null;
  /** Why its source says nothing. */
  sourceDown?: string;
  /** Its limit is of the baseline, and that did not suffice for one. */
  baselineThin?: boolean;
  /** Events that come a day, by what came lately; unknown where nothing was exposed yet. */
  perDay?: number;
}

/** Everything the next move of a rollout depends on; read from the row, never kept by the workflow. */
export interface RolloutFacts extends ArmsFacts {
  status: 'running' | 'paused' | 'completed' | 'rolled_back' | 'superseded';
  steps: readonly Step[];
  stepIndex: number;
  /** Milliseconds the step has run, neither paused nor disabled. */
  elapsedMs: number;
  dayMs: number;
  disabled: boolean;
  baselineLocked: boolean;
  heldForVersion: string | null;
  /** How long that build is waited for, where it is known. */
  heldForVersionMs?: number;
  /** Who or what paused it, where that is known. */
  paused?: Paused;
  gateApprovedBy: string | null;
  /** Whether the owners were told of the gate, and need no reminder yet. */
  gateTold: boolean;
  /** Whether they were told at all: a gate that cannot be answered any more is closed, and its time stands still. */
  gateAsked?: boolean;
  /** Until they do, until on-call is told, and until it holds the rollout; none where that is not said, or done. */
  gateRemindMs?: number;
  gateEscalateMs?: number;
  gateExpireMs?: number;
  /** A time in which nothing widens, and how long it goes on. */
  freeze?: Freeze & { leftMs?: number };
  /** Follow-ups of high severity that are overdue, in words. */
  overdue?: readonly string[];
  segments: readonly SegmentFacts[];
  verdicts: readonly VerdictFacts[];
  /** Those that act, by their metrics. */
  guardrails: readonly string[];
  /** What they say of an inconclusive verdict, where it is not as the gate says. */
  inconclusive?: Readonly<Record<string, Exclude<OnVerdict['inconclusive'], 'as-gate'>>>;
  /** Metrics of which all exposed segments together breached, and the release holds on that. */
  pooledBreaches?: readonly string[];
  revision: number;
}

/** One thing a step waits for, in a code and words. */
export interface Wait {
  for:
    | 'paused'
    | 'disabled'
    | 'frozen'
    | 'agent-version'
    | 'ease'
    | 'freeze'
    | 'follow-up'
    | 'arms'
    | 'time'
    | 'sample'
    | 'verdict'
    | 'checklist'
    | 'person';
  detail: string;
  segment?: string;
  metric?: string;
  /** How many more events, where that is known. */
  needed?: number;
  /** In about so many days, by what came lately. */
  days?: number;
  /** What is to be confirmed. */
  checks?: readonly string[];
}

/** The one next thing to do; `wait` says until when at the latest. */
export type Move =
  | { do: 'end' }
  | { do: 'enter-step'; stepIndex: number }
  | { do: 'lock-baseline' }
  | { do: 'ask-person' }
  | { do: 'close-gate' }
  | { do: 'escalate-gate' }
  | { do: 'expire-gate' }
  | { do: 'complete' }
  | { do: 'wait'; ms: number };

const SOONEST_MS = 50;

/** Evidence may grow without a verdict changing: looked at every hour of a day. Everything else is told by a signal. */
const lookAgainMs = ({ dayMs }: RolloutFacts, waits: readonly Wait[]): number =>
  Math.max(
    SOONEST_MS,
    waits.some((wait) => wait.for === 'sample' || wait.for === 'verdict') ? dayMs / 24 : dayMs,
  );

const stepAt = (facts: RolloutFacts): Step => {
  const step = facts.steps[facts.stepIndex];
  if (!step) throw new RangeError(`a rollout has no step ${facts.stepIndex}`);
  return step;
};

const exposedIn = (facts: RolloutFacts): SegmentFacts[] =>
  facts.segments.filter((segment) => segment.state === 'exposed' && segment.exposure > 0);

/** What the step still waits for, a person last; empty when it may be left. */
export function waitsOf(facts: RolloutFacts): Wait[] {
  const machine = machineWaits(facts);
  const { gate } = stepAt(facts);
  if (!gate.approve || facts.gateApprovedBy !== null) return machine;
  const checklist: Wait[] =
    gate.checklist.length > 0
      ? [
          {
            for: 'checklist',
            checks: gate.checklist,
            detail: `${gate.checklist.length} checks, confirmed with the approval: ${gate.checklist.join('; ')}`,
          },
        ]
      : [];
  return [
    ...machine,
    ...checklist,
    { for: 'person', detail: 'an owner approves the gate (rollout approve-gate)' },
  ];
}

/** The waits that no person's approval can stand in for. */
export function machineWaits(facts: RolloutFacts): Wait[] {
  return [
    ...stops(facts),
    ...freezeWait(facts),
    ...(facts.overdue ?? []).map((detail): Wait => ({ for: 'follow-up', detail })),
    ...armsWaits(facts),
    ...timeWait(facts),
    ...evidenceWaits(facts),
  ];
}

function stops(facts: RolloutFacts): Wait[] {
  const waits: Wait[] = [];
  if (facts.status === 'paused') waits.push({ for: 'paused', detail: pausedText(facts.paused) });
  if (facts.disabled) waits.push({ for: 'disabled', detail: 'the switch is off (portcullis enable)' });
  if (facts.heldForVersion !== null) {
    waits.push({
      for: 'agent-version',
      detail: `agent version ${facts.heldForVersion} is new${facts.heldForVersionMs === undefined ? '' : `, first seen ${agoText(facts.heldForVersionMs)}`}: go on with rollout resume, which begins the sample anew (or --evidence go-on)`,
    });
  }
  waits.push(...earlyWaits(facts.segments, stepAt(facts).exposure));
  for (const { segment, state } of facts.segments) {
    if (state === 'rolled_back') {
      waits.push({ for: 'frozen', segment, detail: `${segment} was rolled back: reenter or exclude it` });
    }
  }
  return waits;
}

/** Nothing widens, and nobody is asked whether it may; what takes back goes on. */
const freezeWait = ({ freeze }: RolloutFacts): Wait[] =>
  freeze ? [{ for: 'freeze', detail: freezeText(freeze) }] : [];

function timeWait(facts: RolloutFacts): Wait[] {
  const step = stepAt(facts);
  const leftMs = step.days * facts.dayMs - facts.elapsedMs;
  if (leftMs <= 0) return [];
  return [{ for: 'time', detail: `${(leftMs / facts.dayMs).toFixed(1)} days of ${step.days}` }];
}

/** Per exposed segment and guardrail: the sample, then the verdict. A missing verdict is never a good one. */
function evidenceWaits(facts: RolloutFacts): Wait[] {
  const { gate } = stepAt(facts);
  const together = (facts.pooledBreaches ?? []).map(
    (metric): Wait => ({ for: 'verdict', metric, detail: `all segments together, ${metric}: breach${HELD}` }),
  );
  const apart = exposedIn(facts).flatMap(({ segment }) =>
    facts.guardrails.flatMap((metric): Wait[] => {
      const found = facts.verdicts.find(
        (verdict) => verdict.segment === segment && verdict.metric === metric,
      );
      const known = found?.known ?? 0;
      const word = found?.verdict ?? 'no-data';
      if (known < gate.sample) {
        const needed = gate.sample - known;
        const soon = daysFor(needed, found?.perDay);
        return [
          {
            for: 'sample',
            segment,
            metric,
            needed,
            ...soon.days,
            detail: `${segment} ${metric}: ${word}${found?.sourceDown ? ` (${found.sourceDown})` : ''}, ${needed} more needed for the sample of ${gate.sample}${soon.text}`,
          },
        ];
      }
      const policy = facts.inconclusive?.[metric];
      const passes = policy === undefined ? gate.verdicts === 'no-breach' : policy === 'pass';
      const quiet = word === 'no-data' && (found?.events ?? 0) === 0;
      const good =
        word === 'ok' || (word === 'inconclusive' && passes) || (quiet && gate.verdicts === 'no-breach');
      if (good) return [];
      const needed = found?.moreNeeded ?? undefined;
      const soon = daysFor(needed, found?.perDay);
      const more = needed ? `, ${needed} more needed${soon.text}` : '';
      return [
        {
          for: 'verdict',
          segment,
          metric,
          ...(needed ? { needed, ...soon.days } : {}),
          detail: `${segment} ${metric}: ${word}${whyOf(word, found) ?? more}`,
        },
      ];
    }),
  );
  return [...together, ...apart];
}

/** Only one that holds leaves a segment exposed after a breach. */
const HELD = ', which the release holds on: roll it back, then reenter or exclude it';

/** Why a verdict lets nothing widen, where more events would not change it. */
function whyOf(word: VerdictFacts['verdict'], found: VerdictFacts | undefined): string | undefined {
  if (word === 'breach') return HELD;
  if (found?.sourceDown) return `, ${found.sourceDown}`;
  return found?.baselineThin ? THIN : undefined;
}

const THIN =
  ', too little happened in its baseline for a limit: exclude the segment, or start anew with a limit of its own';

/** What a rollout does next. Pure; asked after every signal and timer, outside the workflow: it may change while rollouts are open. */
export function nextMove(facts: RolloutFacts): Move {
  if (facts.status !== 'running' && facts.status !== 'paused') return { do: 'end' };
  const step = stepAt(facts);
  const machine = machineWaits(facts);
  if (machine.length > 0)
    return facts.gateAsked && facts.status === 'running' ? { do: 'close-gate' } : waitFor(facts, machine);
  if (step.phase === 'baseline' && !facts.baselineLocked) return { do: 'lock-baseline' };
  if (step.gate.approve && facts.gateApprovedBy === null) {
    if (facts.gateExpireMs === 0) return { do: 'expire-gate' };
    if (facts.gateEscalateMs === 0) return { do: 'escalate-gate' };
    if (!facts.gateTold) return { do: 'ask-person' };
    const { gateRemindMs, gateEscalateMs, gateExpireMs } = facts;
    const due = [gateRemindMs, gateEscalateMs, gateExpireMs].filter((ms) => ms !== undefined);
    const ms = Math.min(lookAgainMs(facts, machine), ...due);
    return { do: 'wait', ms: Math.max(SOONEST_MS, Math.ceil(ms)) };
  }
  return facts.stepIndex + 1 < facts.steps.length
    ? { do: 'enter-step', stepIndex: facts.stepIndex + 1 }
    : { do: 'complete' };
}

function waitFor(facts: RolloutFacts, waits: readonly Wait[]): Move {
  const ticking = !waits.some((wait) => wait.for === 'paused' || wait.for === 'disabled');
  const leftMs = stepAt(facts).days * facts.dayMs - facts.elapsedMs;
  if (!ticking || leftMs <= 0) {
    const ms = Math.min(lookAgainMs(facts, waits), facts.freeze?.leftMs ?? Number.POSITIVE_INFINITY);
    return { do: 'wait', ms: Math.max(SOONEST_MS, Math.ceil(ms)) };
  }
  return { do: 'wait', ms: Math.max(SOONEST_MS, Math.ceil(leftMs)) };
}
