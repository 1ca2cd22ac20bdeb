import { type Actor, requireRole } from '../actor.ts';
import type { Risk } from '../domain/agent.ts';
import { AppError } from '../errors.ts';
import type { Services } from '../services.ts';
import {
  type AnswerRow,
  answerRows,
  askedRows,
  editRows,
  rightWrites,
  type StatsWindow,
  shortcuts,
  stoppedWrites,
  type ToolRow,
  toolRows,
  type WaitRow,
  wronglyStopped,
} from './approval-queries.ts';
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
 * How people approved over the last days. Counted by the store; nothing is loaded.
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
  const since = new Date(clock.now().getTime() - days * dayMs);
  const window: StatsWindow = { since, agent };
  const [answers, loads, edits] = [
    await answerRows(db.sql, window),
    await askedRows(db.sql, window),
    await editRows(db.sql, window),
  ];
  const tools = await toolRows(db.sql, window);
  const right = await rightWrites(db.sql, window);
  const stopped = await stoppedWrites(db.sql, window);
  const wrongly = await wronglyStopped(db.sql, window);
  const { broken, reviewed, unjustified, started, used } = await shortcuts(db.sql, window);
  return {
    ...(agent === undefined ? {} : { agent }),
    since,
    days,
    dayMs,
    asked: sumOf(tools),
    answers: answersOf(answers.find(({ person }) => person === null)),
    people: peopleOf(answers, loads, edits),
    tools: tools.map(toolOf),
    breakGlass: { count: broken, reviewed, unjustified },
    standing: { started, used },
    gating: {
      right: waitedOf(right),
      stopped: stopped.map((row) => ({ state: row.state, approved: row.approved, ...waitedOf(row) })),
      wronglyStopped: {
        ...waitedOf(wrongly),
        byPeople: wrongly.by_people,
        byPolicy: wrongly.by_policy,
        expired: wrongly.expired,
      },
    },
  };
}

const share = (part: number, of: number): Share => (of === 0 ? { part, of } : { part, of, share: part / of });
const known = <K extends string>(name: K, value: number | null | undefined) =>
  (value === null || value === undefined ? {} : { [name]: value }) as { [key in K]?: number };

const waitedOf = ({ count, p50_ms, total_ms }: WaitRow): Waited => ({
  count,
  ...known('medianMs', p50_ms),
  totalMs: total_ms ?? 0,
});

const answersOf = (row: AnswerRow | undefined): Answers => ({
  answered: row?.answered ?? 0,
  approved: row?.approved ?? 0,
  denied: row?.denied ?? 0,
  asDeputy: row?.as_deputy ?? 0,
  ...known('medianMs', row?.p50_ms),
  ...known('p95Ms', row?.p95_ms),
  hasty: share(row?.hasty ?? 0, row?.timed_approvals ?? 0),
});

/** Everyone who was asked, answered or edited; the most asked first. */
function peopleOf(
  answers: readonly AnswerRow[],
  loads: readonly { person: string; asked: number }[],
  edits: readonly { person: string; edited: number }[],
): PersonAnswers[] {
  const names = [...loads, ...edits].map(({ person }) => person);
  return [...new Set(names)]
    .map((person) => ({
      person,
      asked: loads.find((one) => one.person === person)?.asked ?? 0,
      edited: edits.find((one) => one.person === person)?.edited ?? 0,
      ...answersOf(answers.find((one) => one.person === person)),
    }))
    .sort((a, b) => b.asked - a.asked || (a.person < b.person ? -1 : 1));
}

const toolOf = ({ p50_wait_ms, ...row }: ToolRow): ToolAsked => ({
  ...row,
  ...known('medianWaitMs', p50_wait_ms),
});

function sumOf(rows: readonly ToolRow[]): Asked {
  const sum = (of: (row: ToolRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    asked: sum(({ asked }) => asked),
    approved: sum(({ approved }) => approved),
    denied: sum(({ denied }) => denied),
    edited: sum(({ edited }) => edited),
    expired: sum(({ expired }) => expired),
    unanswered: sum(({ unanswered }) => unanswered),
    stopped: sum(({ stopped }) => stopped),
    waiting: sum(({ waiting }) => waiting),
  };
}
