/** The functions that read a weekly review: each acknowledges it or comments. */
export const REVIEW_FUNCTIONS = ['product', 'engineering', 'policy', 'operations'] as const;
export type ReviewFunction = (typeof REVIEW_FUNCTIONS)[number];

/** As many weeks are drawn. */
export const CHART_WEEKS = 13;

/** One week of a guardrail in a segment. */
export interface CellWeek {
  week: string;
  events: number;
  known: number;
  harms: number;
  /** Whether everything of it is old enough to be known. */
  mature: boolean;
  /** What happened to the segment in it: first exposed to the release, taken back from it. */
  marks?: CellMark[];
}
export type CellMark = 'released' | 'rolled_back';

/** One guardrail in one segment: what it is, what it was a week ago, and its counts. */
export interface Cell {
  agent: string;
  rollout: string;
  segment: string;
  metric: string;
  business: string;
  verdict: string;
  /** On the page of the week before; null: it was not there. */
  before: string | null;
  limit: number | null;
  /** The share of harm of the locked baseline, and its upper bound. */
  baseline: { rate: number; upper: number } | null;
  /** Days since the start of the rollout when the breach was found. */
  firstDay: string | null;
  subjects: number;
  harms: number;
  cost: string | null;
  /** It stands out among all, by the queue of what is worth a look. */
  worthALook: boolean;
  weeks: CellWeek[];
}

export interface DecisionNeeded {
  agent: string;
  what: string;
  owner: string;
  evidence: string;
  /** What happens if nobody decides. */
  otherwise: string;
  ref: string;
}

export interface FollowUpLine {
  agent: string;
  id: string;
  sentence: string;
  owner: string;
  dueAt: string | null;
  state: string;
  overdue: boolean;
  reason: string | null;
}

export interface ChangeLine {
  agent: string;
  at: string;
  what: string;
}

export interface IncidentLine {
  agent: string;
  id: string;
  mechanism: string | null;
  state: string;
  isNew: boolean;
  recurrence: boolean;
  /** From opened to guarded or closed; null while it is neither. */
  daysToGuarded: number | null;
}

export interface BusinessLine {
  agent: string;
  segment: string;
  metric: string;
  value: string;
  technical: string;
}

export interface ApproverLine {
  agent: string;
  asked: number;
  decided: number;
  /** Approved faster than anybody reads. */
  hasty: number;
  approvals: number;
  /** Stopped, and called right afterwards. */
  overBlocks: number;
}

export interface RiskLine {
  agent: string;
  what: string;
  expires: string | null;
}

export interface NextLine {
  agent: string;
  what: string;
}

/** The regression cases of an agent: what became of them in the week, and how they stood on what is in force. */
export interface CaseLine {
  agent: string;
  added: number;
  admitted: number;
  red: number;
  waived: number;
  /** Nobody looked at them for too long. */
  overdue: number;
  green: number;
}

/** All that a page of a week is made of. Frozen with its digest; the page is a function of it. */
export interface WeekSnapshot {
  v: 1;
  week: string;
  from: string;
  to: string;
  version: number;
  dayMs: number;
  agents: string[];
  dataThrough: string;
  /** Weeks before it that have no page: the schedule did not run. */
  missed: string[];
  /** Functions that had not read the page before at its deadline. */
  unread: string[];
  /** Sources that said nothing at the end of the week. */
  sourcesDown: string[];
  decisions: DecisionNeeded[];
  followUps: FollowUpLine[];
  changes: ChangeLine[];
  cells: Cell[];
  incidents: IncidentLine[];
  /** Null: this installation keeps none. */
  cases: CaseLine[] | null;
  business: BusinessLine[] | null;
  approvers: ApproverLine[];
  risks: RiskLine[];
  next: NextLine[];
}

/**
 * Whether a cell is coloured: only where a verdict changed to or from `breach`, whose error is held over the whole life of a
 * rollout. No other change of a word, and no change of a figure, is evidence of anything.
 */
export const colourOf = ({ verdict, before }: Pick<Cell, 'verdict' | 'before'>): 'worse' | 'better' | null =>
  verdict === 'breach' && before !== 'breach'
    ? 'worse'
    : verdict !== 'breach' && before === 'breach'
      ? 'better'
      : null;

const isOf =
  (agents: readonly string[]) =>
  ({ agent }: { agent: string }): boolean =>
    agents.includes(agent);

/** The same snapshot with what concerns these agents alone. */
export function onlyOf(snapshot: WeekSnapshot, agents: readonly string[]): WeekSnapshot {
  const mine = isOf(agents);
  return {
    ...snapshot,
    agents: snapshot.agents.filter((agent) => agents.includes(agent)),
    sourcesDown: snapshot.sourcesDown.filter((line) => agents.some((agent) => line.startsWith(`${agent}: `))),
    decisions: snapshot.decisions.filter(mine),
    followUps: snapshot.followUps.filter(mine),
    changes: snapshot.changes.filter(mine),
    cells: snapshot.cells.filter(mine),
    incidents: snapshot.incidents.filter(mine),
    cases: snapshot.cases?.filter(mine) ?? null,
    business: snapshot.business?.filter(mine) ?? null,
    approvers: snapshot.approvers.filter(mine),
    risks: snapshot.risks.filter(mine),
    next: snapshot.next.filter(mine),
  };
}

/** What of a snapshot is counted from records of its week, and comes out the same whenever it is counted, but for late data. */
export const countedOf = ({ cells, incidents, approvers }: WeekSnapshot) => ({
  cells: cells.map(({ agent, rollout, segment, metric, weeks }) => ({
    key: `${agent} ${rollout} ${metric} in ${segment}`,
    week: weeks.at(-1) ?? null,
  })),
  incidents: incidents.filter(({ isNew }) => isNew).map(({ id }) => id),
  approvers: approvers.map(({ agent, asked, overBlocks }) => ({ agent, asked, overBlocks })),
});

/** What late data changed of a week, line by line; nothing where it did not. */
export function differenceOf(before: WeekSnapshot, after: WeekSnapshot): string[] {
  const [old, fresh] = [countedOf(before), countedOf(after)];
  const cells = fresh.cells.flatMap(({ key, week }) => {
    const was = old.cells.find((one) => one.key === key)?.week;
    const moved = (['events', 'known', 'harms'] as const).filter(
      (name) => (was?.[name] ?? 0) !== (week?.[name] ?? 0),
    );
    return moved.map((name) => `${key}: ${name} ${was?.[name] ?? 0} became ${week?.[name] ?? 0}`);
  });
  const late = fresh.incidents.filter((id) => !old.incidents.includes(id));
  const approvers = fresh.approvers.flatMap(({ agent, asked, overBlocks }) => {
    const was = old.approvers.find((one) => one.agent === agent);
    return [
      ...((was?.asked ?? 0) === asked ? [] : [`${agent}: asked ${was?.asked ?? 0} became ${asked}`]),
      ...((was?.overBlocks ?? 0) === overBlocks
        ? []
        : [`${agent}: over-blocks ${was?.overBlocks ?? 0} became ${overBlocks}`]),
    ];
  });
  return [...cells, ...late.map((id) => `incident ${id} is of this week`), ...approvers];
}
