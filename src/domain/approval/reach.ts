import { type Agent, groupOf } from '../agent.ts';
import { durationMs } from '../duration.ts';
import {
  type AskedAction,
  approversOf,
  type Eligibility,
  type Right,
  type Route,
  rightToApprove,
  type Supporting,
  tallyStage,
} from './approval.ts';
import { isInHours, nextOpeningMs } from './hours.ts';

/**
 * Whether somebody can be told. `unknown` (Slack did not answer) is never taken for inactive; who has `no_account` may
 * answer on the page, but is told by nobody.
 */
export type Presence = 'active' | 'unknown' | 'inactive' | 'no_account';

/** How somebody was told, or can see it. */
export const WAYS = ['channel', 'dm', 'digest', 'page'] as const;
export type Way = (typeof WAYS)[number];

/** Somebody who may approve now and has not answered. */
export interface Candidate {
  person: string;
  /** Whose right it is; of two with the same right one counts. */
  for: string;
  options: Right['options'];
  presence: Presence;
  /** When the first of their groups opens, in epoch milliseconds; `undefined`: it is open. */
  opensAtMs: number | undefined;
}

/** How far those who can be told now would bring the open stage. */
export interface Reachability {
  candidates: readonly Candidate[];
  /** Who can be told now. */
  reachable: readonly Candidate[];
  /** `few`: they cannot complete the stage. `nobody`: there is nobody to tell. */
  now: 'enough' | 'few' | 'nobody';
  /** Whether all who may approve could complete it, at whatever hours. */
  possible: boolean;
}

/** Everyone who may approve now but `answered`, with the hours of the groups they answer for. */
export function candidatesOf(
  eligibility: Eligibility,
  action: AskedAction,
  answered: readonly string[],
  atMs: number,
): Omit<Candidate, 'presence'>[] {
  return approversOf(eligibility, action)
    .filter((person) => !answered.includes(person))
    .flatMap((person) => {
      const found = rightToApprove(person, eligibility, action);
      if (!('right' in found)) return [];
      const { right } = found;
      const groups = right.options.map(({ group }) => group);
      const opensAtMs = opensAt(eligibility.agent, groups, atMs);
      return [{ person, for: right.for, options: right.options, opensAtMs }];
    });
}

/** What the candidates and the approvals already given make of the open stage. */
export function reachabilityOf(
  { approval, stage }: Pick<AskedAction, 'approval' | 'stage'>,
  candidates: readonly Candidate[],
  given: readonly Supporting[],
): Reachability {
  const needs = approval?.stages[stage] ?? [];
  const completes = (people: readonly Candidate[]) => {
    const distinct = people.filter((one, at) => people.findIndex((other) => other.for === one.for) === at);
    return tallyStage(needs, stage, [...given, ...distinct]).filled;
  };
  const present = candidates.filter(({ presence }) => presence !== 'inactive');
  const open = present.filter(({ opensAtMs }) => opensAtMs === undefined);
  const reachable = open.filter(({ presence }) => presence !== 'no_account');
  const now = reachable.length === 0 ? 'nobody' : completes(open) ? 'enough' : 'few';
  return { candidates, reachable, now, possible: completes(present) };
}

/** The groups that answer outside the hours of those that are asked and closed now, and are not asked yet. */
export function outOfHoursGroups(agent: Agent, action: AskedAction, atMs: number): string[] {
  const asked = askedGroups(action);
  const instead = asked.flatMap((name) => {
    const { hours, outOfHours } = groupOf(agent, name) ?? {};
    return hours && outOfHours !== undefined && !isInHours(hours, atMs) ? [outOfHours] : [];
  });
  return [...new Set(instead)].filter((name) => !asked.includes(name));
}

/** The next group of the escalation chain that is not asked yet. */
export function nextInChain(action: AskedAction): string | undefined {
  const asked = askedGroups(action);
  return action.approval?.escalate.find(({ to }) => !asked.includes(to))?.to;
}

/** The groups whose turn has come because nobody answered, and when the next one's comes. */
export function escalationsDue(
  action: AskedAction,
  openedAtMs: number,
  nowMs: number,
  dayMs: number,
): { due: string[]; nextAtMs: number | undefined } {
  const asked = askedGroups(action);
  const steps = (action.approval?.escalate ?? [])
    .filter(({ to }) => !asked.includes(to))
    .map(({ after, to }) => ({ to, atMs: openedAtMs + durationMs(after, dayMs) }));
  const due = steps.filter(({ atMs }) => atMs <= nowMs).map(({ to }) => to);
  const later = steps.filter(({ atMs }) => atMs > nowMs).map(({ atMs }) => atMs);
  return { due: [...new Set(due)], nextAtMs: later.length > 0 ? Math.min(...later) : undefined };
}

/** Whether a person answers only because the question was passed on to a group of theirs. */
export function isRoutedTo({ options }: Pick<Candidate, 'options'>, action: AskedAction): boolean {
  const needs = (action.approval?.stages[action.stage] ?? []).map(({ group }) => group);
  return !options.some(({ group }) => needs.includes(group));
}

export const routeTo = (group: string, because: Route['because'], stage: number, at: Date): Route => ({
  group,
  stage,
  because,
  at: at.toISOString(),
});

/** The groups asked in the open stage, those it was passed on to included. */
export const askedGroups = ({ approval, stage, routed }: AskedAction): string[] => [
  ...new Set([
    ...(approval?.stages[stage] ?? []).map(({ group }) => group),
    ...routed.filter((route) => route.stage === stage).map(({ group }) => group),
  ]),
];

/** When the first of these groups opens; `undefined`: one of them is open. */
function opensAt(agent: Agent, groups: readonly string[], atMs: number): number | undefined {
  const openings = groups.map((name) => {
    const hours = groupOf(agent, name)?.hours;
    return hours ? nextOpeningMs(hours, atMs) : atMs;
  });
  const first = Math.min(...openings);
  return first <= atMs ? undefined : first;
}
