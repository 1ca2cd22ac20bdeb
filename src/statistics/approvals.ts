import { type Actor, requireRole } from '../actor.ts';
import type { Risk } from '../domain/agent.ts';
import { groupBy } from '../domain/group-by.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import {
  type ApprovalCount,
  approvalCounts,
  beginOfQuarter,
  standingGiven,
  timeWithin,
  total,
  totalMs,
} from './approval-counts.ts';
import type { Share } from './posture.ts';

export const STATS_DAYS_MAX = 365;

/** How long, over so many; milliseconds, absent where there is nothing to measure. */
export interface Waited {
  count: number;
  medianMs?: number;
  totalMs: number;
}

/** How somebody, or everybody, answers. */
export interface Answers {
  answered: number;
  approved: number;
  denied: number;
  asDeputy: number;
  /** From shown to answered, where both are known. */
  medianMs?: number;
  p95Ms?: number;
  /** Approvals in under three seconds, of those whose time is known. */
  hasty: Share;
}

export interface PersonAnswers extends Answers {
  person: string;
  /** Actions they were asked about: told of, or answered. */
  asked: number;
  edited: number;
}

/** What was asked and how it ended. */
export interface Asked {
  asked: number;
  approved: number;
  denied: number;
  edited: number;
  /** Time ran out before enough had answered. */
  expired: number;
  /** Expired without any answer at all. */
  unanswered: number;
  /** Withdrawn, superseded or switched off while it waited. */
  stopped: number;
  waiting: number;
}

export interface ToolAsked extends Asked {
  agent: string;
  tool: string;
  risk: Risk;
  /** From asked to decided. */
  medianWaitMs?: number;
}

/** How people approve: their speed, their load, and what waiting costs. */
export interface ApprovalStats {
  agent?: string;
  since: Date;
  days: number;
  dayMs: number;
  asked: Asked;
  answers: Answers;
  people: PersonAnswers[];
  tools: ToolAsked[];
  breakGlass: { count: number; reviewed: number; unjustified: number };
  standing: { started: number; used: number };
  gating: {
    /** Executed, and nobody said they were wrong: they waited for nothing but the word of people. */
    right: Waited;
    /** Ended while they waited, though nobody said they were wrong; `approved`: ended after that, not begun. */
    stopped: (Waited & { state: string; approved: number })[];
    /** Called right by a person, afterwards. */
    wronglyStopped: Waited & { byPeople: number; byPolicy: number; expired: number };
  };
}

/**
 * How people approved over the last days, and since the begin of the quarter of a day in which they began. From what was
 * counted as it happened: what it costs grows with days, tools and people, not with what was done.
 * @throws AppError `forbidden`, `invalid_input`
 */
export async function approvalStats(
  { db, clock, dayMs }: Services,
  actor: Actor,
  { agent: asked, days }: { agent?: string; days: number },
): Promise<ApprovalStats> {
  requireRole(actor, ['approver', 'release-manager', 'on-call', 'auditor'], asked);
  if (!(days > 0 && days <= STATS_DAYS_MAX))
    throw new AppError('invalid_input', `Cannot look at ${days} days: ask for 1 to ${STATS_DAYS_MAX}`);
  const agent = asked ?? actor.agent;
  const since = beginOfQuarter(new Date(clock.now().getTime() - days * dayMs), dayMs);
  const counts = await approvalCounts(db.sql, { since, agent });
  const of = measuresOf(counts);
  const count = (measure: string) => total(of(measure));
  return {
    ...(agent === undefined ? {} : { agent }),
    since,
    days,
    dayMs,
    asked: askedOf(of),
    answers: answersOf(of),
    people: peopleOf(counts),
    tools: toolsOf(counts),
    breakGlass: { count: count('broken'), reviewed: count('reviewed'), unjustified: count('unjustified') },
    standing: { started: await standingGiven(db.sql, { since, agent }), used: count('used') },
    gating: {
      right: waitedOf(of('right')),
      stopped: stoppedOf(of),
      wronglyStopped: {
        ...waitedOf(['person', 'policy', 'expired'].flatMap((by) => of(`wrong:${by}`))),
        byPeople: count('wrong:person'),
        byPolicy: count('wrong:policy'),
        expired: count('wrong:expired'),
      },
    },
  };
}

/** What was counted of a measure. */
type Of = (measure: string) => readonly ApprovalCount[];

function measuresOf(counts: readonly ApprovalCount[]): Of {
  const measures = groupBy(counts, ({ measure }) => measure);
  return (measure) => measures.get(measure) ?? [];
}

const share = (part: number, of: number): Share => (of === 0 ? { part, of } : { part, of, share: part / of });
const known = <K extends string>(name: K, value: number | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { [key in K]?: number };

const waitedOf = (counts: readonly ApprovalCount[]): Waited => ({
  count: total(counts),
  ...known('medianMs', timeWithin(counts, 0.5)),
  totalMs: totalMs(counts),
});

const askedOf = (of: Of): Asked => ({
  asked: total(of('asked')),
  approved: total(of('approved')),
  denied: total(of('denied')),
  edited: total(of('edited')),
  expired: total(of('expired')),
  unanswered: total(of('unanswered')),
  stopped: total(of('stopped')),
  waiting: total(of('waiting')),
});

function answersOf(of: Of): Answers {
  const [approvals, denials] = [of('answer:approve'), of('answer:deny')];
  const answers = [...approvals, ...denials];
  return {
    answered: total(answers),
    approved: total(approvals),
    denied: total(denials),
    asDeputy: total(of('deputy')),
    ...known('medianMs', timeWithin(answers, 0.5)),
    ...known('p95Ms', timeWithin(answers, 0.95)),
    hasty: share(total(of('hasty')), total(approvals.filter(({ bucket }) => bucket !== null))),
  };
}

/** Everyone who was asked, answered or edited; the most asked first. */
function peopleOf(counts: readonly ApprovalCount[]): PersonAnswers[] {
  const people = groupBy(
    counts.filter(({ person }) => person !== ''),
    ({ person }) => person,
  );
  return [...people]
    .map(([person, theirs]) => {
      const of = measuresOf(theirs);
      return { person, asked: total(of('reached')), edited: total(of('edit')), ...answersOf(of) };
    })
    .sort((a, b) => b.asked - a.asked || (a.person < b.person ? -1 : 1));
}

/** Every tool that people were asked about, by risk; the most asked first. */
function toolsOf(counts: readonly ApprovalCount[]): ToolAsked[] {
  const tools = groupBy(
    counts.filter(({ tool }) => tool !== ''),
    ({ agent, tool, risk }) => `${agent} ${tool} ${risk}`,
  );
  return [...tools]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, its]) => {
      const of = measuresOf(its);
      const [{ agent, tool, risk }] = its;
      return { agent, tool, risk, ...askedOf(of), ...known('medianWaitMs', timeWithin(of('decided'), 0.5)) };
    })
    .sort((a, b) => b.asked - a.asked);
}

/** How writes ended while they waited, or after they were approved; the most frequent first. */
function stoppedOf(of: Of): (Waited & { state: string; approved: number })[] {
  return ['disabled', 'expired', 'superseded', 'withdrawn']
    .map((state) => ({
      state,
      approved: total(of(`ended-after:${state}`)),
      ...waitedOf(of(`ended:${state}`)),
    }))
    .filter(({ count, approved }) => count + approved > 0)
    .sort((a, b) => b.count - a.count);
}
