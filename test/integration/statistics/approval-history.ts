import { type RawBuilder, sql } from 'kysely';
import { expect } from 'vitest';
import type { Sql } from '../../../src/db/database.ts';

/** Within 1 %, as precise as a bucket of times is. */
export const about = (ms: number | null | undefined) =>
  ms === null || ms === undefined
    ? undefined
    : {
        asymmetricMatch: (other: unknown) =>
          typeof other === 'number' && Math.abs(other - ms) <= Math.abs(ms) * 0.01,
        toString: () => `about ${ms}`,
      };

type StatsWindow = { since: Date; agent?: string };
interface WaitRow {
  count: number;
  p50_ms: number | null;
  total_ms: number | null;
}
interface AnswerRow {
  person: string | null;
  answered: number;
  approved: number;
  denied: number;
  as_deputy: number;
  timed: number;
  p50_ms: number | null;
  p95_ms: number | null;
  timed_approvals: number;
  hasty: number;
}

interface ToolRow extends Record<AskedMeasure, number> {
  agent: string;
  tool: string;
  risk: string;
  p50_wait_ms: number | null;
}
type AskedMeasure = (typeof ASKED_MEASURES)[number];

const ASKED_MEASURES = [
  'asked',
  'approved',
  'denied',
  'expired',
  'stopped',
  'waiting',
  'edited',
  'unanswered',
] as const;

const ms = (from: RawBuilder<unknown>, to: RawBuilder<unknown>) =>
  sql`(extract(epoch FROM ${to} - ${from}) * 1000)::float8`;
const p50 = (of: RawBuilder<unknown>) => sql`percentile_cont(0.5) WITHIN GROUP (ORDER BY ${of})`;
const ofAgent = ({ agent }: StatsWindow) =>
  sql`(${agent ?? null}::text IS NULL OR a.agent = ${agent ?? null}::text)`;
/** Asked of people one by one: what a standing approval covers is not. */
const ASKED = sql`a.approval IS NOT NULL AND a.standing_id IS NULL`;
const DECIDED_WAIT = ms(sql`a.asked_at`, sql`a.decided_at`);

/** From shown to answered, per person and over all. */
async function answerRows(db: Sql, window: StatsWindow) {
  const shown = ms(sql`d.shown_at`, sql`greatest(d.at, d.shown_at)`);
  const { rows } = await sql<AnswerRow>`
    WITH answer AS (
      SELECT d.person, d.verdict, d.deputy_id, CASE WHEN d.shown_at IS NOT NULL THEN ${shown} END AS ms
      FROM decision d JOIN action a ON a.id = d.action_id
      WHERE d.at >= ${window.since} AND ${ofAgent(window)}
    )
    SELECT person, count(*)::int AS answered, (count(*) FILTER (WHERE verdict = 'approve'))::int AS approved,
      (count(*) FILTER (WHERE verdict = 'deny'))::int AS denied, count(deputy_id)::int AS as_deputy,
      count(ms)::int AS timed, ${p50(sql`ms`)} AS p50_ms,
      percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS p95_ms,
      (count(ms) FILTER (WHERE verdict = 'approve'))::int AS timed_approvals,
      (count(*) FILTER (WHERE verdict = 'approve' AND ms < 3000))::int AS hasty
    FROM answer GROUP BY GROUPING SETS ((person), ()) ORDER BY person NULLS FIRST`.execute(db);
  return rows;
}

/** How many actions each was asked about: who was reached, and who answered all the same. */
async function askedRows(db: Sql, window: StatsWindow) {
  const { rows } = await sql<{ person: string; asked: number }>`
    SELECT person, count(*)::int AS asked FROM (
      SELECT a.id, p.person FROM action a, jsonb_array_elements_text(a.reach -> 'people') AS p (person)
      WHERE a.approval IS NOT NULL AND a.asked_at >= ${window.since} AND ${ofAgent(window)}
      UNION
      SELECT a.id, d.person FROM decision d JOIN action a ON a.id = d.action_id
      WHERE d.at >= ${window.since} AND ${ofAgent(window)}
    ) AS x GROUP BY person`.execute(db);
  return rows;
}

/** How many edits each made. */
async function editRows(db: Sql, window: StatsWindow) {
  const { rows } = await sql<{ person: string; edited: number }>`
    SELECT e.editor AS person, count(*)::int AS edited FROM action_edit e JOIN action a ON a.id = e.action_id
    WHERE e.at >= ${window.since} AND ${ofAgent(window)} GROUP BY e.editor`.execute(db);
  return rows;
}

/** What was asked of people and how it ended. */
async function toolRows(db: Sql, window: StatsWindow) {
  const { rows } = await sql<ToolRow>`
    SELECT a.agent, a.tool, a.risk, count(*)::int AS asked,
      (count(*) FILTER (WHERE a.decided_at IS NOT NULL AND a.state <> 'denied'))::int AS approved,
      (count(*) FILTER (WHERE a.state = 'denied'))::int AS denied,
      (count(*) FILTER (WHERE a.state = 'expired' AND a.decided_at IS NULL))::int AS expired,
      (count(*) FILTER (WHERE a.state IN ('withdrawn', 'superseded', 'disabled') AND a.decided_at IS NULL))::int
        AS stopped,
      (count(*) FILTER (WHERE a.state = 'pending'))::int AS waiting,
      (count(*) FILTER (WHERE a.round > 0))::int AS edited,
      (count(*) FILTER (WHERE a.state = 'expired' AND a.decided_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.action_id = a.id)))::int AS unanswered,
      ${p50(DECIDED_WAIT)} AS p50_wait_ms
    FROM action a WHERE ${ASKED} AND a.asked_at >= ${window.since} AND ${ofAgent(window)}
    GROUP BY a.agent, a.tool, a.risk ORDER BY asked DESC, a.agent, a.tool, a.risk`.execute(db);
  return rows;
}

/** Writes that waited for people and were right: executed, and nobody said they were wrong. */
async function rightWrites(db: Sql, window: StatsWindow) {
  const { rows } = await sql<WaitRow>`
    SELECT count(*)::int AS count, ${p50(DECIDED_WAIT)} AS p50_ms, sum(${DECIDED_WAIT}) AS total_ms
    FROM action a WHERE ${ASKED} AND a.kind = 'write' AND a.state = 'executed' AND a.corrected_at IS NULL
      AND a.asked_at >= ${window.since} AND ${ofAgent(window)}`.execute(db);
  return rows[0] ?? { count: 0, p50_ms: null, total_ms: null };
}

/** Writes that ended while they waited though nobody said they were wrong, and `approved`: those that ended after. */
async function stoppedWrites(db: Sql, window: StatsWindow) {
  const ended = sql`CASE a.state WHEN 'expired' THEN a.expires_at ELSE a.ended_at END`;
  const { rows } = await sql<WaitRow & { state: string; approved: number }>`
    SELECT state, (count(*) FILTER (WHERE decided_at IS NULL))::int AS count, count(decided_at)::int AS approved,
      ${p50(sql`ms`)} AS p50_ms, sum(ms) AS total_ms
    FROM (
      SELECT a.state, a.decided_at, CASE WHEN a.decided_at IS NULL THEN ${ms(sql`a.asked_at`, ended)} END AS ms
      FROM action a WHERE ${ASKED} AND a.kind = 'write' AND a.state IN ('expired', 'withdrawn', 'superseded', 'disabled')
        AND a.asked_at >= ${window.since} AND ${ofAgent(window)}
    ) AS x GROUP BY state ORDER BY count DESC, state`.execute(db);
  return rows;
}

/** Writes that people, afterwards, called right and wrongly stopped. */
async function wronglyStopped(db: Sql, window: StatsWindow) {
  const stopped = sql`coalesce(a.decided_at, a.expires_at)`;
  const wait = ms(sql`a.asked_at`, stopped);
  const { rows } = await sql<WaitRow & { by_people: number; by_policy: number; expired: number }>`
    SELECT count(*)::int AS count, ${p50(wait)} AS p50_ms, sum(${wait}) AS total_ms,
      (count(*) FILTER (WHERE a.state = 'denied' AND a.decided_by = 'person'))::int AS by_people,
      (count(*) FILTER (WHERE a.state = 'denied' AND a.decided_by = 'policy'))::int AS by_policy,
      (count(*) FILTER (WHERE a.state = 'expired'))::int AS expired
    FROM action a WHERE a.kind = 'write' AND a.state IN ('denied', 'expired') AND a.corrected_at >= ${window.since}
      AND ${ofAgent(window)}`.execute(db);
  return rows[0] ?? { count: 0, p50_ms: null, total_ms: null, by_people: 0, by_policy: 0, expired: 0 };
}

/** What was approved otherwise than one by one and by all who were asked. */
async function shortcuts(db: Sql, window: StatsWindow) {
  const { rows } = await sql<{
    broken: number;
    reviewed: number;
    unjustified: number;
    started: number;
    used: number;
  }>`
    SELECT (count(*) FILTER (WHERE a.break_glass))::int AS broken,
      (count(*) FILTER (WHERE a.break_glass AND a.reviewed_at IS NOT NULL))::int AS reviewed,
      (count(*) FILTER (WHERE a.break_glass AND a.review ->> 'justified' = 'false'))::int AS unjustified,
      count(a.standing_id)::int AS used,
      (SELECT count(*)::int FROM standing_approval s WHERE s.starts_at >= ${window.since}
        AND (${window.agent ?? null}::text IS NULL OR s.agent = ${window.agent ?? null}::text)) AS started
    FROM action a WHERE a.approval IS NOT NULL AND a.asked_at >= ${window.since} AND ${ofAgent(window)}`.execute(
    db,
  );
  return rows[0] ?? { broken: 0, reviewed: 0, unjustified: 0, started: 0, used: 0 };
}

const answersOf = (row: AnswerRow | undefined) => ({
  answered: row?.answered ?? 0,
  approved: row?.approved ?? 0,
  denied: row?.denied ?? 0,
  asDeputy: row?.as_deputy ?? 0,
  medianMs: about(row?.p50_ms),
  p95Ms: about(row?.p95_ms),
  hasty: expect.objectContaining({ part: row?.hasty ?? 0, of: row?.timed_approvals ?? 0 }),
});
const waitedOf = ({ count, p50_ms, total_ms }: WaitRow) => ({
  count,
  medianMs: about(p50_ms),
  totalMs: total_ms ?? 0,
});

/** The statistics of approvals, from every action, answer and edit there is. */
export async function approvalsOfHistory(db: Sql, window: StatsWindow) {
  const [answers, loads, edits] = [
    await answerRows(db, window),
    await askedRows(db, window),
    await editRows(db, window),
  ];
  const tools = await toolRows(db, window);
  const wrongly = await wronglyStopped(db, window);
  const { broken, reviewed, unjustified, started, used } = await shortcuts(db, window);
  return {
    asked: Object.fromEntries(
      ASKED_MEASURES.map((name) => [name, tools.reduce((sum, row) => sum + row[name], 0)]),
    ),
    answers: answersOf(answers.find(({ person }) => person === null)),
    people: [...new Set([...loads, ...edits].map(({ person }) => person))]
      .map((person) => ({
        person,
        asked: loads.find((one) => one.person === person)?.asked ?? 0,
        edited: edits.find((one) => one.person === person)?.edited ?? 0,
        ...answersOf(answers.find((one) => one.person === person)),
      }))
      .sort((a, b) => b.asked - a.asked || (a.person < b.person ? -1 : 1)),
    tools: tools.map(({ p50_wait_ms, ...row }) => ({ ...row, medianWaitMs: about(p50_wait_ms) })),
    breakGlass: { count: broken, reviewed, unjustified },
    standing: { started, used },
    gating: {
      right: waitedOf(await rightWrites(db, window)),
      stopped: (await stoppedWrites(db, window)).map(({ state, approved, ...row }) => ({
        state,
        approved,
        ...waitedOf(row),
      })),
      wronglyStopped: {
        ...waitedOf(wrongly),
        byPeople: wrongly.by_people,
        byPolicy: wrongly.by_policy,
        expired: wrongly.expired,
      },
    },
  };
}
