import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { slackMayApprove } from '../domain/approval/approval.ts';
import { groupBy } from '../domain/group-by.ts';
import type { Need } from '../domain/release.ts';
import { concernsAny } from '../domain/scope.ts';
import type { ActionRow } from '../records/action.ts';
import type { GivenAnswer } from '../records/answer.ts';
import { COPY_GONE, type Copy, isDirect } from '../records/copy.ts';
import type { Services } from '../services.ts';
import { listDisabled } from '../switches/list.ts';
import { answerersOf, answersFor, missingIn } from './answerers.ts';
import { type DeputyRow, deputyState, listDeputies } from './deputies.ts';
import { type Waiting as Asked, waitingActions } from './queue.ts';
import type { StandingApprovalRow } from './standing/store.ts';

/** An action that waits, in one line: never its arguments. */
export interface HomeAction
  extends Pick<ActionRow, 'id' | 'agent' | 'summary' | 'risk' | 'segment' | 'asked_at' | 'expires_at'> {
  /** Its card, where the person can see it. */
  card: Copy | undefined;
}

/** One that the person may answer now. */
export interface QueuedAction extends HomeAction {
  /** In whose place, where not for themselves. */
  insteadOf: string | undefined;
  /** Slack is enough to approve it. */
  here: boolean;
}

/** One that others must answer. */
export interface WaitingAction extends HomeAction {
  needs: readonly Need[];
  /** Names of those who may. */
  people: readonly string[];
  /** Groups that were asked because nobody else answered. */
  escalated: readonly string[];
  /** Nobody who may answer could be told. */
  unreached: boolean;
  /** The person has answered it themselves. */
  answered: boolean;
}

/** The first of a list, and how many there are beyond them. */
export interface Listed<T> {
  items: readonly T[];
  more: number;
}

/** Everything the Home tab of one person says. */
export interface HomeFacts {
  at: Date;
  publicUrl: string;
  /** As whom they are known, and where. */
  known: readonly { agent: string; name: string; testMode: boolean }[];
  queue: Listed<QueuedAction>;
  others: Listed<WaitingAction>;
  /** Live ones that they gave, or of agents they own. */
  standings: Listed<StandingApprovalRow>;
  /** Those in force that concern them, with names. */
  deputies: readonly (DeputyRow & { from: string; to: string })[];
  /** What is switched off of theirs. */
  off: Awaited<ReturnType<typeof listDisabled>>;
  mayDisable: boolean;
}

/** An agent somebody is a person of, and who they are there. */
export interface Known {
  agent: Agent;
  actor: Actor;
}

type HomeServices = Pick<Services, 'db' | 'clock' | 'publicUrl'>;
type Decision = GivenAnswer & { action_id: string };
type Waiting = Asked & { person: string; decisions: Decision[] };

const QUEUE_MAX = 20;
const OTHERS_MAX = 10;
const STANDINGS_MAX = 10;
const STANDINGS_READ_MAX = 500;
/** What waits behind so much is counted when the first of it is answered. */
const WAITING_READ_MAX = 2_000;
const PEOPLE_MAX = 5;

/** Reads what one person's Home tab shows; `direct` is their own conversation with the app. */
export async function readHome(
  services: HomeServices,
  known: readonly Known[],
  direct?: string,
): Promise<HomeFacts> {
  const at = services.clock.now();
  const waiting = await waitingFor(services, known);
  const mine = waiting.filter((one) => insteadOf(one) !== undefined);
  const others = waiting.filter((one) => insteadOf(one) === undefined);
  const shown = [...mine.slice(0, QUEUE_MAX), ...others.slice(0, OTHERS_MAX)];
  const cards = await cardsOf(services.db.sql, shown, direct);
  return {
    at,
    publicUrl: services.publicUrl,
    known: known.map(({ agent, actor }) => ({
      agent: agent.agent,
      name: nameIn(agent, actor.id),
      testMode: agent.testMode,
    })),
    queue: listed(mine, QUEUE_MAX, (one) => queued(one, cards)),
    others: listed(others, OTHERS_MAX, (one) => waitingOn(one, cards)),
    standings: await standingApprovalsOf(services, known, at),
    deputies: await deputiesOf(services, known, at),
    off: await offOf(services.db.sql, known),
    mayDisable: known.some(({ actor }) =>
      actor.roles.some((role) => role === 'on-call' || role === 'release-manager' || role === 'approver'),
    ),
  };
}

/** What waits at any of these agents, oldest first, with all that was answered on it as it is now. */
async function waitingFor(services: HomeServices, known: readonly Known[]): Promise<Waiting[]> {
  const names = known.map(({ agent }) => agent.agent);
  const waiting: Asked[] = [];
  for await (const page of waitingActions(services, names)) {
    waiting.push(...page);
    if (waiting.length >= WAITING_READ_MAX) break;
  }
  if (waiting.length === 0) return [];
  const decisions: (Decision & { round: number })[] = await services.db.sql
    .selectFrom('decision')
    .selectAll()
    .where(
      'action_id',
      'in',
      waiting.map(({ action }) => action.id),
    )
    .orderBy('at')
    .execute();
  const byAction = groupBy(decisions, ({ action_id, round }) => `${action_id}/${round}`);
  return waiting.map(({ action, eligibility }) => ({
    action,
    eligibility,
    person: known.find(({ agent }) => agent.agent === action.agent)?.actor.id ?? '',
    decisions: byAction.get(`${action.id}/${action.round}`) ?? [],
  }));
}

const insteadOf = ({ person, eligibility, action, decisions }: Waiting): string | undefined =>
  answersFor(person, eligibility, action, decisions);

const listed = <T, R>(all: readonly T[], max: number, show: (one: T) => R): Listed<R> => ({
  items: all.slice(0, max).map(show),
  more: Math.max(0, all.length - max),
});

type Cards = ReadonlyMap<string, Copy>;

const base = (action: ActionRow, cards: Cards): HomeAction => ({
  id: action.id,
  agent: action.agent,
  summary: action.summary,
  risk: action.risk,
  segment: action.segment,
  asked_at: action.asked_at,
  expires_at: action.expires_at,
  card: cards.get(action.id),
});

function queued(one: Waiting, cards: Cards): QueuedAction {
  const other = insteadOf(one);
  const lent = other === undefined || other === one.person ? undefined : nameIn(one.eligibility.agent, other);
  return { ...base(one.action, cards), insteadOf: lent, here: slackMayApprove(one.action) };
}

function waitingOn({ action, eligibility, decisions, person }: Waiting, cards: Cards): WaitingAction {
  const { approvers } = answerersOf(eligibility, action, decisions);
  return {
    ...base(action, cards),
    needs: missingIn({ action, decisions }),
    people: approvers.map((each) => nameIn(eligibility.agent, each)).slice(0, PEOPLE_MAX),
    escalated: action.routed.filter(({ stage }) => stage === action.stage).map(({ group }) => group),
    unreached: action.reach?.state === 'unreached' || action.reach?.state === 'undelivered',
    answered: decisions.some((decision) => decision.person === person),
  };
}

const nameIn = (agent: Agent, person: string): string =>
  (Object.hasOwn(agent.people, person) ? agent.people[person]?.name : undefined) ?? person;

/** One card of each that the person can see: not in somebody else's direct conversation. */
async function cardsOf(db: Sql, shown: readonly Waiting[], direct: string | undefined): Promise<Cards> {
  if (shown.length === 0) return new Map();
  const copies = await db
    .selectFrom('card')
    .select(['ref', 'channel', 'ts'])
    .where(
      'ref',
      'in',
      shown.map(({ action }) => action.id),
    )
    .where('revision', '<', COPY_GONE)
    .orderBy('posted_at', 'desc')
    .execute();
  const visible = copies.filter((copy) => copy.channel === direct || !isDirect(copy));
  return new Map(visible.map(({ ref, channel, ts }) => [ref, { channel, ts }]));
}

async function standingApprovalsOf(
  { db }: HomeServices,
  known: readonly Known[],
  at: Date,
): Promise<Listed<StandingApprovalRow>> {
  const rows = await db.sql
    .selectFrom('standing_approval')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('expires_at', '>', at)
    .where(
      'agent',
      'in',
      known.map(({ agent }) => agent.agent),
    )
    .orderBy('expires_at')
    .orderBy('id')
    .limit(STANDINGS_READ_MAX)
    .execute();
  const mine = rows.filter(({ agent: name, created_by }) =>
    known.some(
      ({ agent, actor }) =>
        agent.agent === name && (created_by === actor.id || agent.owners.includes(actor.id)),
    ),
  );
  return listed(mine, STANDINGS_MAX, (row) => row);
}

async function deputiesOf(
  services: HomeServices,
  known: readonly Known[],
  at: Date,
): Promise<HomeFacts['deputies']> {
  const found: (DeputyRow & { from: string; to: string })[] = [];
  for (const { agent, actor } of known) {
    const rows = await listDeputies(services, { agent: agent.agent, ended: false });
    const own = rows.filter(
      (row) => deputyState(row, at) === 'running' && [row.from_person, row.to_person].includes(actor.id),
    );
    for (const row of own)
      found.push({ ...row, from: nameIn(agent, row.from_person), to: nameIn(agent, row.to_person) });
  }
  return found;
}

async function offOf(db: Sql, known: readonly Known[]): Promise<HomeFacts['off']> {
  const names = new Set(known.map(({ agent }) => agent.agent));
  const off = await listDisabled(db);
  return off.filter(({ scope }) => concernsAny(scope, names));
}
