import { weekBefore, weekOf } from '../../../../src/domain/review/iso-week.ts';
import { type Cell, CHART_WEEKS, type WeekSnapshot } from '../../../../src/domain/review/weekly.ts';

const WEEK = weekOf('2026-W47');
if (!WEEK) throw new Error('no week');
const week = WEEK;

/** A guardrail of a healthy segment; `more` replaces parts. */
export const cell = (more: Partial<Cell> = {}): Cell => ({
  agent: 'desk',
  rollout: 'desk-2',
  segment: 'gold',
  metric: 'wrong',
  business: 'workload',
  verdict: 'ok',
  before: 'ok',
  limit: 0.1,
  baseline: { rate: 0.03, upper: 0.06 },
  firstDay: null,
  subjects: 40,
  harms: 12,
  cost: null,
  worthALook: false,
  weeks: Array.from({ length: CHART_WEEKS }, (_, index) => ({
    week: weekBefore(week, CHART_WEEKS - 1 - index).id,
    events: 40,
    known: 40 - (index === CHART_WEEKS - 1 ? 9 : 0),
    harms: index % 3,
    mature: index < CHART_WEEKS - 1,
  })),
  ...more,
});

/** A week in which nothing needs anybody. */
export const quietSnapshot = (): WeekSnapshot => ({
  v: 1,
  week: week.id,
  from: week.from.toISOString(),
  to: week.to.toISOString(),
  version: 1,
  dayMs: 86_400_000,
  agents: ['desk'],
  dataThrough: week.to.toISOString(),
  missed: [],
  unread: [],
  sourcesDown: [],
  decisions: [],
  followUps: [],
  changes: [],
  cells: [cell(), cell({ segment: 'default', verdict: 'inconclusive', before: 'ok' })],
  incidents: [],
  cases: null,
  business: null,
  approvers: [{ agent: 'desk', asked: 412, decided: 400, hasty: 3, approvals: 390, overBlocks: 1 }],
  risks: [],
  next: [],
});

/** A week in which everything happened, `times` over. */
export function fullSnapshot({
  times = 3,
  text = 'Ask a person before a cancellation whose fare has no refund at all',
  agents = ['desk'],
}: {
  times?: number;
  text?: string;
  agents?: string[];
} = {}): WeekSnapshot {
  const at = week.from.toISOString();
  const many = <T>(make: (agent: string, n: number) => T): T[] =>
    Array.from({ length: times }, (_, n) => make(agents[n % agents.length] ?? 'desk', n));
  return {
    ...quietSnapshot(),
    agents,
    missed: ['2026-W45', '2026-W46'],
    unread: ['policy'],
    decisions: many((agent, n) => ({
      agent,
      what: text,
      owner: 'olga',
      evidence: text,
      otherwise: text,
      ref: `r-${n}`,
    })),
    followUps: many((agent, n) => ({
      agent,
      id: `fu-${n}`,
      sentence: text,
      owner: 'olga',
      dueAt: at,
      state: 'committed',
      overdue: n % 2 === 0,
      reason: text,
    })),
    changes: many((agent) => ({ agent, at, what: text })),
    cells: many((agent, n) =>
      cell({
        agent,
        segment: `segment-${n}`,
        verdict: n % 2 === 0 ? 'breach' : 'ok',
        before: 'inconclusive',
        worthALook: n % 3 === 1,
        firstDay: '2026-11-17',
        cost: '240 EUR',
      }),
    ),
    incidents: many((agent, n) => ({
      agent,
      id: `inc-${n}`,
      mechanism: n % 2 === 0 ? 'over_grant' : null,
      state: 'open',
      isNew: true,
      recurrence: n === 1,
      daysToGuarded: n,
    })),
    business: many((agent, n) => ({
      agent,
      segment: `segment-${n}`,
      metric: text,
      value: '12 %',
      technical: text,
    })),
    approvers: many((agent) => ({
      agent,
      asked: 412,
      decided: 400,
      hasty: 3,
      approvals: 390,
      overBlocks: 1,
    })),
    risks: many((agent) => ({ agent, what: text, expires: at })),
    next: many((agent) => ({ agent, what: text })),
  };
}
