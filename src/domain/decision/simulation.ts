import type { Outcome, ReasonCode } from '../decision.ts';
import { type ApprovalPolicy, quorumOf } from '../release.ts';
import type { Decision } from './decide.ts';

/** What people made of a write they were asked about: `right` is approved unedited and not called wrong afterwards. */
export type Judged = 'right' | 'denied' | 'edited' | 'corrected' | 'unknown';

/** One recorded action, as it was answered. */
export interface PastAction {
  id: string;
  tool: string;
  outcome: Outcome;
  reasons: readonly ReasonCode[];
  /** Whom it asked. */
  approval?: ApprovalPolicy | null;
  /** A standing approval answered for the people it would have asked. */
  covered: boolean;
  judged: Judged;
}

/** Why an action says nothing of the release: it is erased, or something else than the release differs since then. */
export const LEFT_OUT = [
  'erased',
  'switched_off',
  'unknown_tool',
  'args_invalid',
  'attribute_missing',
  'no_release',
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

export const WRONG_LISTED_MAX = 20;

/** A write that people had denied, edited or called wrong, and that would have run unasked. */
export interface WouldHaveRun {
  id: string;
  tool: string;
  because: Exclude<Judged, 'right' | 'unknown'>;
}

/** What a release would have answered, against what was answered. */
export interface Simulation {
  /** Decided again; those left out are not among them. */
  decided: number;
  same: number;
  before: Record<Outcome, number>;
  after: Record<Outcome, number>;
  newlyAllowed: { asked: number; denied: number };
  newlyAsked: { allowed: number; denied: number };
  newlyDenied: { allowed: number; asked: number };
  /** Of what was asked and would run unasked: what people had said of it. */
  unasked: { right: number; unknown: number; wrong: number; examples: WouldHaveRun[] };
  /** People who had to agree, over all that asked. */
  approvals: { before: number; after: number };
  /** Actions each person may have been asked about. */
  people: Map<string, { before: number; after: number }>;
  leftOut: Record<LeftOut, number>;
}

export const newSimulation = (): Simulation => ({
  decided: 0,
  same: 0,
  before: { allowed: 0, pending: 0, denied: 0 },
  after: { allowed: 0, pending: 0, denied: 0 },
  newlyAllowed: { asked: 0, denied: 0 },
  newlyAsked: { allowed: 0, denied: 0 },
  newlyDenied: { allowed: 0, asked: 0 },
  unasked: { right: 0, unknown: 0, wrong: 0, examples: [] },
  approvals: { before: 0, after: 0 },
  people: new Map(),
  leftOut: {
    erased: 0,
    switched_off: 0,
    unknown_tool: 0,
    args_invalid: 0,
    attribute_missing: 0,
    no_release: 0,
  },
});

/**
 * Adds one action, decided again, to the simulation. What a standing approval covered is taken to be covered again.
 * `membersOf` names the people of a group, the same for both sides.
 */
export function addDecided(
  simulation: Simulation,
  past: PastAction,
  { outcome, approval, reasons }: Pick<Decision, 'outcome' | 'approval' | 'reasons'>,
  membersOf: (group: string) => readonly string[],
): void {
  const leftOut = whyLeftOut(past.reasons, new Set(reasons.map(({ code }) => code)));
  if (leftOut) {
    simulation.leftOut[leftOut]++;
    return;
  }
  simulation.decided++;
  simulation.before[past.outcome]++;
  simulation.after[outcome]++;
  addChange(simulation, past, outcome);
  if (past.covered) return;
  if (past.outcome === 'pending') addLoad(simulation, 'before', past.approval, membersOf);
  if (outcome === 'pending') addLoad(simulation, 'after', approval, membersOf);
}

/** The switch, the manifest or what was in force answered one of the two times, and not the other. */
function whyLeftOut(then: readonly ReasonCode[], now: ReadonlySet<ReasonCode>): LeftOut | undefined {
  return LEFT_OUT.find((code) => code !== 'erased' && then.includes(code) !== now.has(code));
}

function addChange(simulation: Simulation, past: PastAction, after: Outcome): void {
  const before = past.outcome;
  if (before === after) simulation.same++;
  else if (after === 'allowed') {
    simulation.newlyAllowed[before === 'pending' ? 'asked' : 'denied']++;
    if (before === 'pending') addUnasked(simulation, past);
  } else if (after === 'pending') simulation.newlyAsked[before === 'allowed' ? 'allowed' : 'denied']++;
  else simulation.newlyDenied[before === 'allowed' ? 'allowed' : 'asked']++;
}

function addUnasked({ unasked }: Simulation, { id, tool, judged }: PastAction): void {
  if (judged === 'right' || judged === 'unknown') {
    unasked[judged]++;
    return;
  }
  unasked.wrong++;
  if (unasked.examples.length < WRONG_LISTED_MAX) unasked.examples.push({ id, tool, because: judged });
}

function addLoad(
  { approvals, people }: Simulation,
  side: 'before' | 'after',
  approval: ApprovalPolicy | null | undefined,
  membersOf: (group: string) => readonly string[],
): void {
  if (!approval) return;
  approvals[side] += quorumOf(approval);
  const asked = approval.stages.flat().flatMap(({ group }) => membersOf(group));
  for (const person of new Set(asked)) {
    const load = people.get(person) ?? { before: 0, after: 0 };
    load[side]++;
    people.set(person, load);
  }
}
