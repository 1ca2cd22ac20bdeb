import type { Step, StepBounds } from '../domain/rollout/steps.ts';
import type { RolloutRecord } from '../records/rollout.ts';

/** One step of the plan, in words. */
export interface PlannedStep {
  step: number;
  phase: string;
  fromDay: number;
  toDay: number;
  /** "gold 25 %, others 0 %" */
  exposure: string;
  /** "each write asks; cancel, lookup; 20 an hour", empty where its grants alone say it */
  bounds: string;
  /** What must hold to leave it, beside its time. */
  gate: string;
  state: 'done' | 'now' | 'next' | 'later' | 'not reached';
}

/** The whole plan of a rollout, and where it is in it. */
export function plannedOf({ plan, step_index, ended_at, status }: RolloutRecord): PlannedStep[] {
  return plan.steps.map(({ index, phase, fromDay, toDay, exposure, gate, ...bounds }) => ({
    step: index + 1,
    phase,
    fromDay,
    toDay,
    exposure: exposureText(exposure),
    bounds: phase === 'baseline' ? '' : allBoundsText(bounds),
    gate: gateText(gate),
    state: stepState(index, step_index, status === 'completed', ended_at !== null),
  }));
}

/** The steps so far in which a segment was exposed, the present one among them: from these it may enter again. */
export const stepsExposed = (
  { plan, step_index }: Pick<RolloutRecord, 'plan' | 'step_index'>,
  segment: string,
): Step[] => plan.steps.filter(({ index, exposure }) => index <= step_index && (exposure[segment] ?? 0) > 0);

function stepState(index: number, at: number, completed: boolean, ended: boolean): PlannedStep['state'] {
  if (completed || index < at) return 'done';
  if (ended) return index === at ? 'now' : 'not reached';
  return index === at ? 'now' : index === at + 1 ? 'next' : 'later';
}

/** The segments of one part are told together, those that nobody is exposed in at all are left out. */
function exposureText(exposure: Readonly<Record<string, number>>): string {
  const open = Object.entries(exposure).filter(([, part]) => part > 0);
  if (open.length === 0) return 'nobody';
  const parts = [...new Set(open.map(([, part]) => part))].sort((one, other) => other - one);
  return parts
    .map((part) => {
      const names = open.filter(([, one]) => one === part).map(([name]) => name);
      return `${part / 100} % of ${names.length === Object.keys(exposure).length ? 'everyone' : names.join(', ')}`;
    })
    .join('; ');
}

/** A segment that makes up for an earlier step is held to that one. */
const allBoundsText = ({ own = {}, ...bounds }: StepBounds & Pick<Step, 'own'>): string =>
  [
    boundsText(bounds),
    ...Object.entries(own).map(([segment, apart]) => `in ${segment} ${boundsText(apart) || 'as granted'}`),
  ]
    .filter(Boolean)
    .join('; ');

function boundsText({ writes, tools, limits }: StepBounds): string {
  return [
    writes === 'ask' ? 'each write asks' : undefined,
    tools && `only ${tools.join(', ')}`,
    limits?.perHour && `${limits.perHour} an hour`,
    limits?.perDay && `${limits.perDay} a day`,
  ]
    .filter((part) => part !== undefined)
    .join('; ');
}

function gateText({ sample, verdicts, checklist, approve }: Step['gate']): string {
  return [
    sample > 0 ? `${sample} events` : undefined,
    verdicts === 'ok' ? 'every segment ok' : 'no breach',
    checklist.length > 0 ? `${checklist.length} checks` : undefined,
    approve ? 'an owner' : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}
