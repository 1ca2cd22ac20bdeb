import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { lowestIdAt } from '../db/partitions.ts';
import { isStopped } from '../domain/action.ts';
import { compileRelease } from '../domain/decision/compile.ts';
import { decideIn, type World } from '../domain/decision/decide.ts';
import { REDACTED, redactionsOf } from '../domain/decision/redact.ts';
import { renderSummary } from '../domain/decision/summary.ts';
import type { Outcome } from '../domain/decision.ts';
import { digestOf } from '../domain/digest.ts';
import { daysOf, type Period } from '../domain/period.ts';
import type { Release } from '../domain/release.ts';
import {
  addDecided,
  type Judged,
  newReplay,
  type PastAction,
  partsInOrder,
  type Replay,
  type ReplayedPart,
} from '../domain/replay/replay.ts';
import { refusedSentence } from '../domain/replay/words.ts';
import { AppError } from '../errors.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { Turns } from '../turns.ts';

export const REPLAYED_MAX = 100_000;
const PAGE = 500;
const DAYS_A_WEEK = 7;
const UNDECLARED = '(undeclared)';
const MARKER = JSON.stringify(REDACTED);

/** A release replayed on what was recorded. The same period, records, manifest and release give the same bytes. */
export interface ReplayedRelease extends Omit<Replay, 'people' | 'parts'> {
  agent: string;
  release: string;
  /** Of the release that was replayed. */
  releaseDigest: string;
  since: Date;
  until: Date;
  days: number;
  dayMs: number;
  /** How many are looked at, at most. */
  most: number;
  /** There was more: what waits or writes comes first, the newest before the others, then reads. */
  cut: boolean;
  /** By segment and tool. */
  parts: ReplayedPart[];
  /** What people refused and it would let run unasked, in one sentence. */
  sentence: string;
  /** Questions a week that each person may be asked, by the groups as they are now. */
  weekly: { person: string; before: number; after: number }[];
  /** SHA-256 of all of the above in its RFC 8785 form. */
  digest: string;
}

/** What a replay may use: it decides, and can neither issue a credential nor call anybody. */
export type ReplayServices = Pick<Services, 'db' | 'worlds' | 'dayMs'>;

interface RecordedRow
  extends Pick<
    ActionRow,
    | 'id'
    | 'asked_at'
    | 'tool'
    | 'kind'
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
    | 'behind'
    | 'redact'
  > {
  args: string | null;
  context: string | null;
  attributes: string | null;
  subject: string | null;
}

export interface ReplayInput extends Period {
  agent: string;
  release: Release;
  /** Look at so many at most. */
  most?: number;
}

/**
 * Decides the recorded actions of a period again, in the segment and arm they had, under another release, and compares.
 * Nothing is written and nothing executes. Limits, switches, standing approvals and what was earned are not played: those
 * are not of the release.
 * @throws AppError `forbidden`, `unknown_agent`, `invalid_input`
 */
export async function replayRelease(
  services: ReplayServices,
  actor: Actor,
  { agent, release, since, until, most = REPLAYED_MAX }: ReplayInput,
): Promise<ReplayedRelease> {
  requireRole(actor, ['release-manager', 'auditor'], agent);
  const loaded = await services.worlds.fresh(agent);
  if (release.agent !== agent)
    throw new AppError('invalid_input', `Cannot replay a release of "${release.agent}" on agent "${agent}"`);
  if (!(Number.isSafeInteger(most) && most > 0 && most <= REPLAYED_MAX))
    throw new AppError('invalid_input', `Cannot look at ${most} actions: ask for 1 to ${REPLAYED_MAX}`);
  const { sql: db } = services.db;
  const world: World = {
    agent: loaded.world.agent,
    switches: [],
    inForce: {},
    releases: { [release.release]: compileRelease(release, loaded.agent) },
  };
  const members = await membersByGroup(db, agent);
  const membersOf = (group: string) => members.get(group) ?? [];
  const replay = newReplay();
  const { first, cut } = await eachRecorded(db, { agent, since, until, most }, (row) =>
    addRow(replay, row, world, release.release, membersOf),
  );
  const { people, parts: _, ...counted } = replay;
  const days = daysOf({ since, until }, services.dayMs);
  // What was recorded for less than a week is not blown up to one.
  const weeks = Math.max(1, (until.getTime() - first.getTime()) / (DAYS_A_WEEK * services.dayMs));
  const weekly = [...people]
    .map(([person, load]) => ({ person, before: load.before / weeks, after: load.after / weeks }))
    .sort((a, b) => b.before - a.before || (a.person < b.person ? -1 : 1));
  const replayed = {
    agent,
    release: release.release,
    releaseDigest: digestOf(release),
    since,
    until,
    days,
    dayMs: services.dayMs,
    most,
    cut,
    ...counted,
    parts: partsInOrder(replay),
    sentence: refusedSentence(replay.refused, days),
    weekly,
  };
  return { ...replayed, digest: digestOf(JSON.parse(JSON.stringify(replayed))) };
}

/** What waits or writes, the newest first, then reads; each page lets others have their turn. */
async function eachRecorded(
  db: Sql,
  asked: Period & { agent: string; most: number },
  take: (row: RecordedRow) => void,
): Promise<{ first: Date; cut: boolean }> {
  const turns = new Turns();
  let [seen, first] = [0, asked.until];
  for (const source of ['past_actions', 'past_reads'] as const) {
    for await (const page of pagesOf(db, source, asked)) {
      const rows = page.slice(0, asked.most - seen);
      seen += rows.length;
      for (const row of rows) {
        await turns.next();
        if (row.asked_at < first) first = row.asked_at;
        take(row);
      }
      if (rows.length < page.length) return { first, cut: true };
    }
  }
  return { first, cut: false };
}

function addRow(
  replay: Replay,
  row: RecordedRow,
  world: World,
  release: string,
  membersOf: (group: string) => readonly string[],
): void {
  if (row.args === null || row.context === null || row.attributes === null || row.subject === null) {
    replay.leftOut.erased++;
    return;
  }
  if (row.args.includes(MARKER)) {
    replay.leftOut.redacted++;
    return;
  }
  const args = JSON.parse(row.args);
  const request = {
    tool: row.tool,
    args,
    attributes: JSON.parse(row.attributes),
    claimed: JSON.parse(row.context),
    subject: row.subject,
    behind: row.behind,
  };
  const place = {
    segment: row.segment ?? 'default',
    arm: row.arm,
    release,
    ...(row.generation === null ? {} : { generation: row.generation }),
  };
  const shown = () => shownOf(row, args, world);
  addDecided(replay, pastOf(row, world), decideIn(request, world, place), { membersOf, shown });
}

/** What is hidden today stays hidden, and so does what was when it was asked. */
function shownOf(
  { tool: name, redact }: RecordedRow,
  args: Record<string, unknown>,
  { agent }: World,
): string {
  const tool = agent.tools.get(name);
  if (tool === undefined) return name;
  return renderSummary({ ...tool, redactions: [...tool.redactions, ...redactionsOf({ redact })] }, args);
}

const pastOf = (row: RecordedRow, { agent }: World): PastAction => ({
  id: row.id,
  // An agent can make up as many names as it likes.
  tool: agent.tools.has(row.tool) ? row.tool : UNDECLARED,
  segment: row.segment ?? 'default',
  write: row.kind === 'write',
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
 * time. Of those with an id that does not (of versions before) nearly all are missed.
 */
async function* pagesOf(
  db: Sql,
  source: 'past_actions' | 'past_reads',
  { agent, since, until }: Period & { agent: string },
): AsyncGenerator<RecordedRow[]> {
  const from = lowestIdAt(since);
  let before = lowestIdAt(new Date(until.getTime() + 1));
  for (;;) {
    const { rows } = await sql<RecordedRow>`
      SELECT * FROM ${sql.table(source)}(${agent}, ${from}, ${before}, ${since}, ${PAGE})`.execute(db);
    const within = rows.filter(({ asked_at }) => asked_at < until);
    if (within.length > 0) yield within;
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
    .orderBy('grp')
    .orderBy('person')
    .execute();
  const members = new Map<string, string[]>();
  for (const { grp, person } of rows) members.set(grp, [...(members.get(grp) ?? []), person]);
  return members;
}
