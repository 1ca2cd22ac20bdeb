import type { BasisPoints } from '../decision.ts';
import type { Duration } from '../duration.ts';
import type { RolloutPlan, StepLimits } from '../release.ts';
import { GATE_ESCALATE_AFTER, GATE_EXPIRE_AFTER, gateSchema } from '../rollout-plan.ts';

/** What the plan needs to know of a segment. */
export interface PlanSegment {
  name: string;
  representative: boolean;
}

export type PhaseName = 'baseline' | 'constrained' | 'scale';

/** What must hold to leave a step, with every default filled in. */
export interface StepGate {
  sample: number;
  verdicts: 'no-breach' | 'ok';
  checklist: readonly string[];
  approve: boolean;
  /** Of plans that were frozen before there was any: as if nothing were said. */
  remindAfter?: Duration;
  escalateAfter?: Duration;
  expireAfter?: Duration;
}

/** What a step holds the candidate to beside its grants. A plan that was frozen before there was any says nothing. */
export interface StepBounds {
  /** ask: people confirm each write. */
  writes?: 'ask' | 'as-granted';
  /** What it may use so far; none: all that it grants. */
  tools?: readonly string[];
  /** What each of its grants may begin at most. */
  limits?: StepLimits;
}

/** One step of a rollout. `fromDay` and `toDay` count elapsed days: the first 30 days are 0 to 30. */
export interface Step extends StepBounds {
  index: number;
  phase: PhaseName;
  days: number;
  fromDay: number;
  toDay: number;
  /** Complete: every segment has its entry. */
  exposure: Readonly<Record<string, BasisPoints>>;
  /** What holds a segment that joined later instead: it makes up for a step that was over then. */
  own?: Readonly<Record<string, StepBounds>>;
  gate: StepGate;
}

/** What a step holds the candidate to in a segment. */
export const boundsAt = (
  step: (StepBounds & Pick<Step, 'own'>) | undefined,
  segment: string,
): StepBounds | undefined =>
  step?.own !== undefined && Object.hasOwn(step.own, segment) ? step.own[segment] : step;

type PlannedStep = NonNullable<RolloutPlan['scale']>[number];

const EVERY_OTHER = '*';
const DEFAULT_SEGMENT_NAME = 'default';
/** Exposed wholly, in hundredths of a percent. */
const WHOLE = 10_000;
const HALF_PHASE_DAYS = 15;
const NO_GATE = gateSchema.parse({});

/** The segments of an agent as a plan needs them, `default` last; `default` counts as representative. */
export function planSegments(agent: { segments: readonly PlanSegment[] }): readonly PlanSegment[] {
  const named = agent.segments.map(({ name, representative }) => ({ name, representative }));
  return [...named, { name: DEFAULT_SEGMENT_NAME, representative: true }];
}

/** Of these segments, those that any step exposes. */
export const exposedIn = (steps: readonly Pick<Step, 'exposure'>[], segments: readonly string[]): string[] =>
  segments.filter((segment) => steps.some(({ exposure }) => (exposure[segment] ?? 0) > 0));

/** How far each segment is ever exposed while a part of it is not. */
export function mostExposed(steps: readonly Pick<Step, 'exposure'>[]): Record<string, BasisPoints> {
  const most: Record<string, BasisPoints> = {};
  for (const { exposure } of steps)
    for (const [segment, share] of Object.entries(exposure))
      if (share > 0 && share < WHOLE) most[segment] = Math.max(most[segment] ?? 0, share);
  return most;
}

/** Who goes first: the first segment that is not representative, else the first segment. */
export function testGroupOf(segments: readonly PlanSegment[]): string {
  const group = segments.find((segment) => !segment.representative) ?? segments[0];
  return group?.name ?? DEFAULT_SEGMENT_NAME;
}

/**
 * The rollout as a list of steps with every default filled in. Exposure carries over from the step before for a
 * segment that a step does not name; `*` is every segment not named.
 */
export function planSteps(plan: RolloutPlan, segments: readonly PlanSegment[]): Step[] {
  const names = segments.map((segment) => segment.name);
  const constrained = plan.constrained ?? defaultConstrained(testGroupOf(segments));
  const scale = plan.scale ?? defaultScale();
  const baseline: PlannedStep = { ...plan.baseline, exposure: {} };
  const planned = [
    { phase: 'baseline' as const, step: baseline, leadsIntoScale: false },
    ...constrained.map((step, at) => ({
      phase: 'constrained' as const,
      step,
      leadsIntoScale: at === constrained.length - 1,
    })),
    ...scale.map((step) => ({ phase: 'scale' as const, step, leadsIntoScale: true })),
  ];
  const steps: Step[] = [];
  let exposure: Record<string, BasisPoints> = Object.fromEntries(names.map((name) => [name, 0]));
  let fromDay = 0;
  for (const [index, { phase, step, leadsIntoScale }] of planned.entries()) {
    exposure = nextExposure(exposure, step.exposure, names);
    const toDay = fromDay + step.days;
    const { verdicts, escalateAfter, expireAfter, ...rest } = step.gate;
    const gate: StepGate = {
      ...rest,
      verdicts: verdicts ?? (leadsIntoScale ? 'ok' : 'no-breach'),
      escalateAfter: escalateAfter ?? GATE_ESCALATE_AFTER,
      expireAfter: expireAfter ?? GATE_EXPIRE_AFTER,
    };
    steps.push({ index, phase, days: step.days, fromDay, toDay, exposure, ...boundsOf(step, phase), gate });
    fromDay = toDay;
  }
  return steps;
}

/** Every write asks as long as little is known. */
const boundsOf = ({ writes, tools, limits }: StepBounds, phase: PhaseName): StepBounds => ({
  writes: writes ?? (phase === 'scale' ? 'as-granted' : 'ask'),
  ...(tools && { tools }),
  ...(limits && { limits }),
});

/** The exposure a step sets, for every segment. */
function nextExposure(
  before: Readonly<Record<string, BasisPoints>>,
  percents: Readonly<Record<string, number>>,
  names: readonly string[],
): Record<string, BasisPoints> {
  const percentOf = (name: string): number | undefined =>
    Object.hasOwn(percents, name) ? percents[name] : percents[EVERY_OTHER];
  return Object.fromEntries(
    names.map((name) => {
      const percent = percentOf(name);
      return [name, percent === undefined ? (before[name] ?? 0) : Math.round(percent * 100)];
    }),
  );
}

const defaultConstrained = (testGroup: string): PlannedStep[] =>
  [10, 25].map((percent) => ({ days: HALF_PHASE_DAYS, exposure: { [testGroup]: percent }, gate: NO_GATE }));

const defaultScale = (): PlannedStep[] =>
  [50, 100].map((percent) => ({
    days: HALF_PHASE_DAYS,
    exposure: { [EVERY_OTHER]: percent },
    gate: NO_GATE,
  }));
