import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { lowestIdAt } from '../db/partitions.ts';
import { isStopped } from '../domain/action.ts';
import { compileRelease } from '../domain/decision/compile.ts';
import { decideIn, type World } from '../domain/decision/decide.ts';
import {
  addDecided,
  type Judged,
  newSimulation,
  type PastAction,
  type Simulation,
} from '../domain/decision/simulation.ts';
import type { Outcome } from '../domain/decision.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { Turns } from '../turns.ts';

export const SIMULATED_MAX = 50_000;
export const SIMULATED_DAYS_MAX = 365;
const PAGE = 500;
const DAYS_A_WEEK = 7;

/** A release tried on what was recorded. */
export interface SimulatedRelease extends Omit<Simulation, 'people'> {
  agent: string;
  release: string;
  since: Date;
  days: number;
  dayMs: number;
  /** How many are looked at, at most. */
  most: number;
  /** There was more: what waits or writes comes first, the newest before the others, then reads. */
  cut: boolean;
  /** Questions a week that each person may be asked, by the groups as they are now. */
  weekly: { person: string; before: number; after: number }[];
}

interface RecordedRow
  extends Pick<
    ActionRow,
    | 'id'
    | 'asked_at'
    | 'tool'
    | 'segment'
    | 'arm'
    | 'generation'
    | 'state'
    | 'decided_by'
    | 'standing_id'
    | 'approval'
    | 'reasons'
    | 'round'
    | 'corrected_at'
  > {
  args: string | null;
  context: string | null;
  attributes: string | null;
  subject: string | null;
}

/**
 * Decides the recorded actions of the last days again, in the segment and arm they had, under another release, and
 * compares: at most so many. Nothing is written. Limits, switches, standing approvals and what was earned are not played: those are not
 * of the release.
 * @throws AppError `forbidden`, `unknown_agent`, `invalid_input`
 */
export async function simulateRelease(
  services: Services,
  actor: Actor,
  { agent, release, days = 90 }: { agent: string; release: Release; days?: number },
  most = SIMULATED_MAX,
): Promise<SimulatedRelease> {
  requireRole(actor, ['release-manager', 'auditor'], agent);
  const loaded = await services.worlds.fresh(agent);
  if (release.agent !== agent)
    throw new AppError('invalid_input', `Cannot try a release of "${release.agent}" on agent "${agent}"`);
  if (!(days > 0 && days <= SIMULATED_DAYS_MAX))
    throw new AppError('invalid_input', `Cannot look at ${days} days: ask for 1 to ${SIMULATED_DAYS_MAX}`);
  const { sql: db } = services.db;
  const now = services.clock.now();
  const since = new Date(now.getTime() - days * services.dayMs);
  const world: World = {
    agent: loaded.world.agent,
    switches: [],
    inForce: {},
    releases: { [release.release]: compileRelease(release, loaded.agent) },
  };
  const members = await membersByGroup(db, agent);
  const simulation = newSimulation();
  const turns = new Turns();
  let [seen, first, cut] = [0, now, false];
  for (const source of ['past_actions', 'past_reads'] as const) {
    for await (const page of pagesOf(db, source, agent, since)) {
      const rows = page.slice(0, most - seen);
      cut ||= rows.length < page.length;
      seen += rows.length;
      for (const row of rows) {
        await turns.next();
        if (row.asked_at < first) first = row.asked_at;
        addRow(simulation, row, world, release.release, (group) => members.get(group) ?? []);
      }
      if (cut) break;
    }
    if (cut) break;
  }
  const { people, ...counted } = simulation;
  // What was recorded for less than a week is not blown up to one.
  const weeks = Math.max(1, (now.getTime() - first.getTime()) / (DAYS_A_WEEK * services.dayMs));
  const weekly = [...people]
    .map(([person, load]) => ({ person, before: load.before / weeks, after: load.after / weeks }))
    .sort((a, b) => b.before - a.before || (a.person < b.person ? -1 : 1));
  return {
    agent,
    release: release.release,
    since,
    days,
    dayMs: services.dayMs,
    most,
    cut,
    ...counted,
    weekly,
  };
}

function addRow(
  simulation: Simulation,
  row: RecordedRow,
  world: World,
  release: string,
  membersOf: (group: string) => readonly string[],
): void {
  if (row.args === null || row.context === null || row.attributes === null || row.subject === null) {
    simulation.leftOut.erased++;
    return;
  }
  const request = {
    tool: row.tool,
    args: JSON.parse(row.args),
    attributes: JSON.parse(row.attributes),
    claimed: JSON.parse(row.context),
    subject: row.subject,
  };
  const place = {
    segment: row.segment ?? 'default',
    arm: row.arm,
    release,
    ...(row.generation === null ? {} : { generation: row.generation }),
  };
  addDecided(simulation, pastOf(row), decideIn(request, world, place), membersOf);
}

const pastOf = (row: RecordedRow): PastAction => ({
  id: row.id,
  tool: row.tool,
  outcome: outcomeThen(row),
  reasons: row.reasons.map(({ code }) => code),
  approval: row.approval,
  covered: row.standing_id !== null,
  judged: judgedOf(row),
});

/** What policy answered when it was asked, whatever came of it later. */
function outcomeThen({ approval, state, decided_by }: RecordedRow): Outcome {
  if (approval) return 'pending';
  return state === 'denied' && decided_by === 'policy' ? 'denied' : 'allowed';
}

/** A denial that was called wrong afterwards was a right write. */
function judgedOf({ state, decided_by, corrected_at, round }: RecordedRow): Judged {
  if (isStopped(state) && corrected_at) return 'right';
  if (state === 'denied') return 'denied';
  if (corrected_at) return 'corrected';
  if (round > 0) return 'edited';
  return decided_by === 'person' ? 'right' : 'unknown';
}

/**
 * The recorded questions with what was asked first, before any edit; the newest first, by their ids, which begin with their
 * time. Of those with an id that does not (of versions before) fewer than one in a hundred are missed.
 */
async function* pagesOf(
  db: Sql,
  source: 'past_actions' | 'past_reads',
  agent: string,
  since: Date,
): AsyncGenerator<RecordedRow[]> {
  const from = lowestIdAt(since);
  let before = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  for (;;) {
    const { rows } = await sql<RecordedRow>`
      SELECT * FROM ${sql.table(source)}(${agent}, ${from}, ${before}, ${since}, ${PAGE})`.execute(db);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (rows.length < PAGE || !last) return;
    before = last.id;
  }
}

async function membersByGroup(db: Sql, agent: string): Promise<Map<string, string[]>> {
  const rows = await db
    .selectFrom('agent_approver')
    .select(['grp', 'person'])
    .distinct()
    .where('agent', '=', agent)
    .execute();
  const members = new Map<string, string[]>();
  for (const { grp, person } of rows) members.set(grp, [...(members.get(grp) ?? []), person]);
  return members;
}
