import type { Decision } from '../decision/decide.ts';
import type { Outcome, ReasonCode } from '../decision.ts';
import { type ApprovalPolicy, quorumOf } from '../release.ts';

/** What people made of a write they were asked about: `right` is approved unedited and not called wrong afterwards. */
export type Judged = 'right' | 'denied' | 'edited' | 'corrected' | 'unknown';

/** One recorded action, as it was answered in its time: what was denied then stays denied here, whoever denied it. */
export interface PastAction {
  id: string;
  tool: string;
  segment: string;
  write: boolean;
  outcome: Outcome;
  reasons: readonly ReasonCode[];
  /** Whom it asked. */
  approval?: ApprovalPolicy | null;
  /** A standing approval answered for the people it would have asked. */
  covered: boolean;
  judged: Judged;
}

/**
 * Why an action says nothing of the release: its record is gone or was never whole, or something else than the release
 * answered, one of the two times.
 */
export const LEFT_OUT = [
  'erased',
  'redacted',
  'switched_off',
  'unknown_tool',
  'args_invalid',
  'attribute_missing',
  'no_release',
  'denied_before',
  'not_in_step',
] as const;
export type LeftOut = (typeof LEFT_OUT)[number];

export const WRONG_LISTED_MAX = 20;
export const EXAMPLES_MAX = 3;

/** A write that people had denied, edited or called wrong, and that would have run unasked. */
export interface WouldHaveRun {
  id: string;
  tool: string;
  because: Exclude<Judged, 'right' | 'unknown'>;
}

/** One action as an example: its redacted arguments, as people would see them on one line. */
export interface Example {
  id: string;
  shown: string;
}

export const CHANGES = ['newlyAllowed', 'newlyAsked', 'newlyDenied'] as const;
export type Change = (typeof CHANGES)[number];

/** What would change of a tool in a segment. */
export interface ReplayedPart {
  segment: string;
  tool: string;
  decided: number;
  same: number;
  newlyAllowed: number;
  newlyAsked: number;
  newlyDenied: number;
  /** At most three of each, the newest. */
  examples: Record<Change, Example[]>;
}

/** Writes that people refused, and those of them that would run unasked now. */
export interface Refused {
  writes: number;
  unasked: number;
  examples: (Example & Pick<ReplayedPart, 'segment' | 'tool'>)[];
}

/** What a release would have answered, against what was answered. */
export interface Replay {
  /** Decided again; those left out are not among them. */
  decided: number;
  same: number;
  before: Record<Outcome, number>;
  after: Record<Outcome, number>;
  newlyAllowed: { asked: number; denied: number };
  newlyAsked: { allowed: number; denied: number };
  newlyDenied: { allowed: number; asked: number };
  /** Denied because a condition of the release failed on it, which is a defect of the release and no refusal. */
  erred: { actions: number; examples: Example[] };
  refused: Refused;
  /** Of what was asked and would run unasked: what people had said of it. */
  unasked: { right: number; unknown: number; wrong: number; examples: WouldHaveRun[] };
  /** People who had to agree, over all that asked. */
  approvals: { before: number; after: number };
  /** Actions each person may have been asked about. */
  people: Map<string, { before: number; after: number }>;
  parts: Map<string, ReplayedPart>;
  leftOut: Record<LeftOut, number>;
}

export const newReplay = (): Replay => ({
  decided: 0,
  same: 0,
  before: { allowed: 0, pending: 0, denied: 0 },
  after: { allowed: 0, pending: 0, denied: 0 },
  newlyAllowed: { asked: 0, denied: 0 },
  newlyAsked: { allowed: 0, denied: 0 },
  newlyDenied: { allowed: 0, asked: 0 },
  erred: { actions: 0, examples: [] },
  refused: { writes: 0, unasked: 0, examples: [] },
  unasked: { right: 0, unknown: 0, wrong: 0, examples: [] },
  approvals: { before: 0, after: 0 },
  people: new Map(),
  parts: new Map(),
  leftOut: {
    erased: 0,
    redacted: 0,
    switched_off: 0,
    unknown_tool: 0,
    args_invalid: 0,
    attribute_missing: 0,
    no_release: 0,
    denied_before: 0,
    not_in_step: 0,
  },
});

/** What an action is replayed with. `membersOf` names the people of a group, the same for both sides. */
export interface Replaying {
  membersOf(group: string): readonly string[];
  /** The action's arguments as people may see them; asked for examples alone. */
  shown(): string;
}

/** Adds one action, decided again. What a standing approval covered is taken to be covered again. */
export function addDecided(
  replay: Replay,
  past: PastAction,
  { outcome, approval, reasons }: Pick<Decision, 'outcome' | 'approval' | 'reasons'>,
  { membersOf, shown }: Replaying,
): void {
  const codes = new Set(reasons.map(({ code }) => code));
  const leftOut = whyLeftOut(past.reasons, codes);
  if (leftOut) {
    replay.leftOut[leftOut]++;
    return;
  }
  replay.decided++;
  replay.before[past.outcome]++;
  replay.after[outcome]++;
  if (codes.has('condition_error')) addErred(replay, past, shown);
  addRefused(replay, past, outcome, shown);
  addChange(replay, past, outcome, shown);
  if (past.covered) return;
  if (past.outcome === 'pending') addLoad(replay, 'before', past.approval, membersOf);
  if (outcome === 'pending') addLoad(replay, 'after', approval, membersOf);
}

/** The switch, the manifest, an answer of people or what was in force answered one of the two times, and not the other. */
function whyLeftOut(then: readonly ReasonCode[], now: ReadonlySet<ReasonCode>): LeftOut | undefined {
  return LEFT_OUT.find(
    (code) => code !== 'erased' && code !== 'redacted' && then.includes(code) !== now.has(code),
  );
}

function addErred({ erred }: Replay, { id }: PastAction, shown: () => string): void {
  erred.actions++;
  if (erred.examples.length < EXAMPLES_MAX) erred.examples.push({ id, shown: shown() });
}

/** A refusal that was called wrong afterwards is `right`, and none of these. */
function addRefused({ refused }: Replay, past: PastAction, after: Outcome, shown: () => string): void {
  if (!past.write || past.outcome !== 'pending' || past.judged !== 'denied') return;
  refused.writes++;
  if (after !== 'allowed') return;
  refused.unasked++;
  const { id, segment, tool } = past;
  if (refused.examples.length < EXAMPLES_MAX) refused.examples.push({ id, segment, tool, shown: shown() });
}

function addChange(replay: Replay, past: PastAction, after: Outcome, shown: () => string): void {
  const before = past.outcome;
  const part = partOf(replay, past);
  part.decided++;
  if (before === after) {
    replay.same++;
    part.same++;
    return;
  }
  const change = changeTo(after);
  part[change]++;
  if (part.examples[change].length < EXAMPLES_MAX)
    part.examples[change].push({ id: past.id, shown: shown() });
  if (after === 'allowed') {
    replay.newlyAllowed[before === 'pending' ? 'asked' : 'denied']++;
    if (before === 'pending') addUnasked(replay, past);
  } else if (after === 'pending') replay.newlyAsked[before === 'allowed' ? 'allowed' : 'denied']++;
  else replay.newlyDenied[before === 'allowed' ? 'allowed' : 'asked']++;
}

const changeTo = (after: Outcome): Change =>
  after === 'allowed' ? 'newlyAllowed' : after === 'pending' ? 'newlyAsked' : 'newlyDenied';

function partOf({ parts }: Replay, { segment, tool }: PastAction): ReplayedPart {
  const key = JSON.stringify([segment, tool]);
  const known = parts.get(key);
  if (known) return known;
  const examples = { newlyAllowed: [], newlyAsked: [], newlyDenied: [] };
  const counts = { decided: 0, same: 0, newlyAllowed: 0, newlyAsked: 0, newlyDenied: 0 };
  const part: ReplayedPart = { segment, tool, ...counts, examples };
  parts.set(key, part);
  return part;
}

/** By segment and tool; the same whatever came first. */
export const partsInOrder = ({ parts }: Pick<Replay, 'parts'>): ReplayedPart[] =>
  [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);

function addUnasked({ unasked }: Replay, { id, tool, judged }: PastAction): void {
  if (judged === 'right' || judged === 'unknown') {
    unasked[judged]++;
    return;
  }
  unasked.wrong++;
  if (unasked.examples.length < WRONG_LISTED_MAX) unasked.examples.push({ id, tool, because: judged });
}

function addLoad(
  { approvals, people }: Replay,
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
