import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { figureText } from '../domain/business/figure.ts';
import { figuresOf } from '../domain/business/words.ts';
import { scopeOf } from '../domain/review/agent-scope.ts';
import type { Week } from '../domain/review/iso-week.ts';
import type {
  ApproverLine,
  BusinessLine,
  Cell,
  ChangeLine,
  DecisionNeeded,
  FollowUpLine,
  IncidentLine,
} from '../domain/review/weekly.ts';
import { awaitingSecond } from '../incidents/blind.ts';
import { type RolloutRecord, stepOf } from '../records/rollout.ts';
import { businessFigures } from '../statistics/business.ts';
import { cycleDueAt } from './remind.ts';

const LISTED_MAX = 50;
const DAY_MS = 86_400_000;

/** What only people can decide now: gates that wait for an owner, reviews that are owed, what went overdue. */
export async function decisionsOf(
  db: Sql,
  agent: Agent,
  rollouts: readonly RolloutRecord[],
  cells: readonly Cell[],
  followUps: readonly FollowUpLine[],
  dayMs: number,
): Promise<DecisionNeeded[]> {
  const owner = agent.owners.join(', ');
  const gates = rollouts.flatMap((rollout): DecisionNeeded[] => {
    if (rollout.ended_at !== null || rollout.gate_asked_at === null) return [];
    const own = cells.filter((cell) => cell.rollout === rollout.id);
    const ok = own.filter(({ verdict }) => verdict === 'ok').length;
    return [
      {
        agent: agent.agent,
        what: `approve the gate of step ${rollout.step_index + 1} (${stepOf(rollout).phase})`,
        owner,
        evidence: `${ok} of ${own.length} verdicts ok, asked ${rollout.gate_asked_at.toISOString().slice(0, 10)}`,
        otherwise: 'exposure stays as it is',
        ref: rollout.id,
      },
    ];
  });
  const owed = await db
    .selectFrom('cycle_review')
    .select(['id', 'because', 'state', 'opened_at', 'recommendation'])
    .where('agent', '=', agent.agent)
    .where('settled_at', 'is', null)
    .orderBy('opened_at')
    .limit(LISTED_MAX)
    .execute();
  const reviews = owed.map(
    ({ id, because, state, opened_at, recommendation }): DecisionNeeded => ({
      agent: agent.agent,
      what: state === 'due' ? `review: ${because}` : `second the review: ${because}`,
      owner,
      evidence: `recommended ${recommendation ?? 'not yet'}, due ${cycleDueAt(opened_at, dayMs).toISOString().slice(0, 10)}`,
      otherwise: 'no rollout of it starts',
      ref: id,
    }),
  );
  const late = followUps
    .filter(({ overdue }) => overdue)
    .map(
      (one): DecisionNeeded => ({
        agent: agent.agent,
        what: `do or waive: ${one.sentence}`,
        owner: one.owner,
        evidence: `overdue since ${one.dueAt?.slice(0, 10)}`,
        otherwise: 'a high one blocks start and widening',
        ref: one.id,
      }),
    );
  return [...gates, ...reviews, ...late];
}

/** Follow-ups that were due, or settled, in the week; overdue ones stay until they are. */
export async function followUpsOf(db: Sql, agent: string, { from, to }: Week): Promise<FollowUpLine[]> {
  const rows = await db
    .selectFrom('follow_up')
    .select(['id', 'sentence', 'owner', 'due_at', 'state', 'reason', 'severity'])
    .where('agent', '=', agent)
    .where('due_at', '<', to)
    .where((where) => where.or([where('state', 'in', ['committed', 'claimed']), where('due_at', '>=', from)]))
    .orderBy('due_at')
    .orderBy('id')
    .limit(LISTED_MAX)
    .execute();
  return rows.map(({ id, sentence, owner, due_at, state, reason }) => ({
    agent,
    id,
    sentence,
    owner: owner ?? 'nobody',
    dueAt: due_at?.toISOString() ?? null,
    state,
    overdue: due_at !== null && due_at < to && (state === 'committed' || state === 'claimed'),
    reason,
  }));
}

/** Releases, rollouts, steps and switches of the week. */
export async function changesOf(
  db: Sql,
  agent: string,
  rollouts: readonly RolloutRecord[],
  { from, to }: Week,
): Promise<ChangeLine[]> {
  const isIn = (at: Date | null): at is Date => at !== null && at >= from && at < to;
  const releases = await db
    .selectFrom('release')
    .select(['version', 'created_at', 'created_by'])
    .where('agent', '=', agent)
    .where('created_at', '>=', from)
    .where('created_at', '<', to)
    .orderBy('created_at')
    .limit(LISTED_MAX)
    .execute();
  const stops = await db
    .selectFrom('stop')
    .select(['scope', 'reason', 'actor', 'at'])
    .where('at', '>=', from)
    .where('at', '<', to)
    .orderBy('at')
    .limit(LISTED_MAX)
    .execute();
  const ended = await db
    .selectFrom('cycle_review')
    .select(['because', 'opened_at', 'release'])
    .where('agent', '=', agent)
    .where('opened_at', '>=', from)
    .where('opened_at', '<', to)
    .orderBy('opened_at')
    .limit(LISTED_MAX)
    .execute();
  const lines: ChangeLine[] = [
    ...releases.map(({ version, created_at, created_by }) => ({
      agent,
      at: created_at.toISOString(),
      what: `release ${version} applied by ${created_by}`,
    })),
    ...rollouts
      .filter(({ started_at }) => isIn(started_at))
      .map(({ release, started_at, started_by }) => ({
        agent,
        at: started_at.toISOString(),
        what: `rollout of release ${release} started by ${started_by}`,
      })),
    ...ended.map(({ because, opened_at, release }) => ({
      agent,
      at: opened_at.toISOString(),
      what: `release ${release}: ${because}`,
    })),
    ...stops
      .filter(({ scope }) => scopeOf(scope, agent))
      .map(({ scope, reason, actor, at }) => ({
        agent,
        at: at.toISOString(),
        what: `switch ${scope} by ${actor}: ${reason}`,
      })),
  ];
  return lines.sort((one, other) =>
    one.at < other.at ? -1 : one.at > other.at ? 1 : one.what < other.what ? -1 : 1,
  );
}

/** Incidents that were opened in the week, and those that are still open. */
export async function incidentsOf(db: Sql, agent: string, { from, to }: Week): Promise<IncidentLine[]> {
  const columns = [
    'id',
    'mechanism',
    'state',
    'opened_at',
    'recurrence_of',
    'closed_at',
    'classified_by',
  ] as const;
  const fresh = db
    .selectFrom('incident')
    .select(columns)
    .where('agent', '=', agent)
    .where('merged_into', 'is', null)
    .where('opened_at', '>=', from)
    .where('opened_at', '<', to);
  const open = db
    .selectFrom('incident')
    .select(columns)
    .where('agent', '=', agent)
    .where('merged_into', 'is', null)
    .where('state', 'in', ['open', 'classified', 'reproduced', 'guarded'])
    .where('opened_at', '<', from)
    .orderBy('opened_at', 'desc')
    .limit(LISTED_MAX);
  const rows = [
    ...(await fresh
      .orderBy('opened_at')
      .limit(LISTED_MAX * 4)
      .execute()),
    ...(await open.execute()),
  ];
  // In a quiet week the page would tell the second person what the first one said.
  const unsaid = await awaitingSecond(db, rows);
  return rows.map(({ id, mechanism, state, opened_at, recurrence_of, closed_at }) => ({
    agent,
    id,
    mechanism: unsaid.has(id) ? null : mechanism,
    state,
    isNew: opened_at >= from,
    recurrence: recurrence_of !== null && !unsaid.has(id),
    daysToGuarded: closed_at ? Math.round((closed_at.getTime() - opened_at.getTime()) / DAY_MS) : null,
  }));
}

/** What approvers were asked in the week and did, from counters. */
export async function approversOf(db: Sql, agent: string, { from, to }: Week): Promise<ApproverLine> {
  const { rows } = await sql<{ measure: string; n: number }>`
    SELECT measure, sum(n)::float8 AS n FROM (
      SELECT measure, n FROM approval_count WHERE agent = ${agent} AND period >= ${from} AND period < ${to}
      UNION ALL SELECT measure, n FROM approval_due WHERE agent = ${agent} AND at >= ${from} AND at < ${to}) x
    GROUP BY 1`.execute(db);
  const count = (measure: string) => rows.find((row) => row.measure === measure)?.n ?? 0;
  const overBlocks = rows
    .filter(({ measure }) => measure.startsWith('wrong:'))
    .reduce((all, { n }) => all + n, 0);
  return {
    agent,
    asked: count('asked'),
    decided: count('decided'),
    hasty: count('hasty'),
    approvals: count('answer:approve'),
    overBlocks,
  };
}

/** The business figures of the week by segment, each with the technical signal beside it. */
export async function businessOf(
  db: Sql,
  agent: string,
  { from, to }: Week,
  dayMs: number,
): Promise<BusinessLine[]> {
  const { segments } = await businessFigures(db, { agent, from, to, dayMs });
  return segments.flatMap(({ segment, figures }) =>
    figuresOf(figures)
      .filter(({ value }) => value !== null)
      .slice(0, 4)
      .map((figure) => ({
        agent,
        segment,
        metric: figure.name,
        value: figureText(figure),
        technical: figure.signal,
      })),
  );
}
