import type { Actor } from '../actor.ts';
import { actorFromManifest } from '../agents/roles.ts';
import type { Account } from '../approvals/to-answer.ts';
import type { SlackFailure } from '../cards/posting/failure.ts';
import type { SlackUser, UserLookup } from '../cards/posting/users.ts';
import type { Agent } from '../domain/agent.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import { forgetAccount, type LastKnown, lastKnownAccount, rememberAccount } from './accounts.ts';

/** Who pressed or typed, by Slack's word. */
export interface SlackPerson {
  userId: string;
  /** The workspace where it was pressed or typed. */
  teamId: string;
  /** The user's own workspace, where Slack tells it. */
  homeTeamId?: string;
}

/** Looks people up in Slack. */
export interface SlackDirectory {
  /** The workspace the app is installed in: nobody who is not of it counts. */
  readonly teamId: string;
  readonly user: UserLookup;
  /** What was kept of whom, and when. */
  readonly remembered: Map<string, number>;
}

/** Of what only stops or denies: where else it can be done. It goes by who the account was last, if Slack is silent. */
export interface Elsewhere {
  page: string;
  cli: string;
}

/** What is known of an account: by Slack now, by Slack in the last day, or not at all. */
type Known = { user: SlackUser } | { failure: SlackFailure; last?: LastKnown };
type Needed = Pick<Services, 'db' | 'clock'>;

const REMEMBER_EVERY_MS = 3_600_000;
const REMEMBERED_MAX = 10_000;
/** Trying again does not help before somebody mends the app. */
const FOR_GOOD = [
  'missing_scope',
  'not_allowed_token_type',
  'invalid_auth',
  'account_inactive',
  'token_revoked',
];

/**
 * The person behind a Slack user, for one agent.
 * @throws AppError `forbidden` with what to do about it, `slack_down` when Slack did not say
 */
export async function actorFor(
  services: Needed,
  directory: SlackDirectory,
  who: SlackPerson,
  agentName: string,
  stop?: Elsewhere,
): Promise<Actor> {
  const agent = await manifestOf(services.db.sql, agentName);
  return (await accountOf(services, directory, who, stop)).actorIn(agent);
}

/** A Slack user as the account they are, whoever they are in which agent. @throws AppError `forbidden` */
export async function accountOf(
  services: Needed,
  directory: SlackDirectory,
  who: SlackPerson,
  stop?: Elsewhere,
): Promise<Account> {
  const known = await knownOf(services, directory, who, stop);
  const email = emailOf(known);
  return {
    slack: slackIdOf(directory, who),
    ...(email ? { email } : {}),
    actorIn(agent) {
      const actor = personAs(agent, directory, who, known, stop);
      if (actor) return actor;
      throw new AppError('forbidden', howToBeAdded(directory, who, `agent "${agent.agent}"`));
    },
  };
}

/** Every agent this Slack user is a person of, with the actor they are there. @throws AppError `forbidden`, `slack_down` */
export async function actorsFor(
  services: Needed,
  directory: SlackDirectory,
  who: SlackPerson,
  stop?: Elsewhere,
): Promise<{ agent: Agent; actor: Actor }[]> {
  const rows = await services.db.sql.selectFrom('agent').select('manifest').orderBy('name').execute();
  const known = await knownOf(services, directory, who, stop);
  const found: { agent: Agent; actor: Actor }[] = [];
  let silent: AppError | undefined;
  for (const { manifest } of rows) {
    try {
      const actor = personAs(manifest, directory, who, known, stop);
      if (actor) found.push({ agent: manifest, actor });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'slack_down') throw error;
      silent = error;
    }
  }
  if (found.length > 0) return found;
  throw silent ?? new AppError('forbidden', howToBeAdded(directory, who, 'any agent'));
}

/** One actor for what covers every agent: the roles of all of them, always under the same person. */
export function actorForEverything(found: readonly { actor: Actor }[]): Actor {
  const [first] = found;
  if (!first) throw new AppError('forbidden', 'You are not a person of any agent');
  const { agent: _one, ...actor } = first.actor;
  return { ...actor, roles: [...new Set(found.flatMap((each) => each.actor.roles))] };
}

/** Asks Slack, and keeps what it says; where it is silent, a stop goes by what it said last. */
async function knownOf(
  { db, clock }: Needed,
  directory: SlackDirectory,
  who: SlackPerson,
  stop: Elsewhere | undefined,
): Promise<Known> {
  assertPlace(directory, who);
  const slack = slackIdOf(directory, who);
  const looked = await directory.user(who.userId);
  if ('failure' in looked) {
    const last = stop && (await lastKnownAccount(db.sql, slack, clock.now()));
    return last ? { ...looked, last } : looked;
  }
  const { user } = looked;
  const email = user.email?.toLowerCase();
  if (whyNobody(user, directory, who) !== undefined) await forgetAccount(db.sql, slack);
  else if (isDueToRemember(directory, `${slack} ${email}`, clock.now()))
    await rememberAccount(db.sql, { slack, email: user.guest ? undefined : email }, clock.now());
  return looked;
}

/** Once an hour is enough for what lasts a day. */
function isDueToRemember({ remembered }: SlackDirectory, account: string, now: Date): boolean {
  const lastMs = remembered.get(account) ?? Number.NEGATIVE_INFINITY;
  if (now.getTime() - lastMs < REMEMBER_EVERY_MS) return false;
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  remembered.set(account, now.getTime());
  return true;
}

function assertPlace({ teamId }: SlackDirectory, who: SlackPerson): void {
  if (who.teamId === teamId) return;
  throw new AppError(
    'forbidden',
    `This came from workspace ${who.teamId}, and only what comes from ${teamId} counts here`,
  );
}

/** Of the app's own workspace, wherever in an organization the user is at home: an entry is written so. */
const slackIdOf = ({ teamId }: SlackDirectory, { userId }: SlackPerson): string => `${userId}/${teamId}`;

function emailOf(known: Known): string | undefined {
  if ('user' in known) return known.user.guest ? undefined : known.user.email?.toLowerCase();
  return known.last?.email ?? undefined;
}

/** Why an account is nobody, whatever a manifest says of it. */
function whyNobody(user: SlackUser, { teamId }: SlackDirectory, { userId }: SlackPerson): string | undefined {
  if (user.deactivated || user.bot) return `Slack user ${userId} is deactivated or a bot`;
  if (user.teamIds.includes(teamId)) return undefined;
  return `Slack user ${userId} is of workspace ${user.teamIds.join(', ') || 'another organization'}, and only people of ${teamId} count here`;
}

/**
 * Who the user is in this agent; `undefined`: nobody. A listed account needs no word of Slack's where Slack signed that
 * it is of this workspace: it could not press anything if it were deactivated.
 * @throws AppError `forbidden` for somebody who is gone, `slack_down` when it takes Slack's word and there is none
 */
function personAs(
  agent: Agent,
  directory: SlackDirectory,
  who: SlackPerson,
  known: Known,
  stop: Elsewhere | undefined,
): Actor | undefined {
  const slackId = slackIdOf(directory, who);
  const byId = Object.entries(agent.people).find(([, { slack }]) => slack === slackId)?.[0];
  const nobody = 'user' in known ? whyNobody(known.user, directory, who) : undefined;
  if (nobody) throw new AppError('forbidden', nobody);
  if (byId === undefined && !agent.slack.matchEmail) return undefined;
  const isAtHome = who.homeTeamId === undefined || who.homeTeamId === directory.teamId;
  const last = 'failure' in known ? known.last : undefined;
  if (byId !== undefined && ('user' in known || isAtHome || last))
    return actorOf(agent, byId, `slack ${slackId}`);
  const byEmail = byId === undefined ? personByEmail(agent, emailOf(known)) : undefined;
  if (byEmail !== undefined) {
    const since = last ? `, as Slack said at ${last.at.toISOString()}` : '';
    return actorOf(agent, byEmail, `slack ${slackId} by e-mail${since}`);
  }
  if ('failure' in known) throw silence(known.failure, stop);
  return undefined;
}

/** Only one person, without a Slack id of their own: anything else is nobody. */
function personByEmail(agent: Agent, email: string | undefined): string | undefined {
  if (!email) return undefined;
  const found = Object.entries(agent.people).filter(([, person]) => person.email?.toLowerCase() === email);
  const [first] = found;
  return found.length === 1 && first && first[1].slack === undefined ? first[0] : undefined;
}

const actorOf = (agent: Agent, person: string, identity: string): Actor =>
  actorFromManifest(agent, person, 'slack', identity);

function silence({ code }: SlackFailure, stop: Elsewhere | undefined): AppError {
  const mend = FOR_GOOD.includes(code) ? 'portcullis doctor says what the app lacks' : undefined;
  if (!stop)
    return new AppError('slack_down', 'Slack did not say who you are; nothing counted; try again', {
      slack: code,
      hint: `Slack answered ${code}${mend ? `: ${mend}` : ''}`,
    });
  return new AppError(
    'slack_down',
    'Slack did not say who you are, nor did it in the last 24 hours; nothing was stopped or denied',
    {
      slack: code,
      because: 'slack_silent',
      page: stop.page,
      hint: `Do it on the page, or by CLI: ${stop.cli}`,
    },
  );
}

const howToBeAdded = ({ teamId }: SlackDirectory, { userId }: SlackPerson, what: string): string =>
  `You are not a person of ${what}. An owner adds "slack: ${userId}/${teamId}" to you under "people" in its manifest and runs portcullis apply`;
