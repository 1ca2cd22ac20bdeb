import type { Actor } from '../actor.ts';
import { actorFromManifest } from '../agents/roles.ts';
import type { Account } from '../approvals/to-answer.ts';
import type { SlackUser, UserLookup } from '../cards/posting/users.ts';
import type { Agent } from '../domain/agent.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';

/** Who pressed or typed, by Slack's word. */
export interface SlackPerson {
  userId: string;
  teamId: string;
}

/** Looks people up in Slack. */
export interface SlackDirectory {
  /** The workspace the app is installed in: nobody of another one counts. */
  readonly teamId: string;
  readonly user: UserLookup;
}

/**
 * The person behind a Slack user, for one agent.
 * @throws AppError `forbidden` with what to do about it
 */
export async function actorFor(
  services: Pick<Services, 'db'>,
  directory: SlackDirectory,
  who: SlackPerson,
  agentName: string,
): Promise<Actor> {
  const agent = await manifestOf(services.db.sql, agentName);
  return (await accountOf(directory, who)).actorIn(agent);
}

/** A Slack user as the account they are, whoever they are in which agent. @throws AppError `forbidden` */
export async function accountOf(directory: SlackDirectory, who: SlackPerson): Promise<Account> {
  assertOfWorkspace(directory, who);
  const user = await directory.user(who.userId);
  const email = user?.email?.toLowerCase();
  return {
    slack: slackIdOf(who),
    ...(email ? { email } : {}),
    actorIn(agent) {
      const actor = personAs(agent, directory, who, user);
      if (actor) return actor;
      throw new AppError('forbidden', howToBeAdded(who, `agent "${agent.agent}"`));
    },
  };
}

/** Every agent this Slack user is a person of, with the actor they are there. @throws AppError `forbidden` */
export async function actorsFor(
  services: Pick<Services, 'db'>,
  directory: SlackDirectory,
  who: SlackPerson,
): Promise<{ agent: Agent; actor: Actor }[]> {
  const rows = await services.db.sql.selectFrom('agent').select('manifest').orderBy('name').execute();
  assertOfWorkspace(directory, who);
  const user = await directory.user(who.userId);
  const found: { agent: Agent; actor: Actor }[] = [];
  for (const { manifest } of rows) {
    const actor = personAs(manifest, directory, who, user);
    if (actor) found.push({ agent: manifest, actor });
  }
  if (found.length === 0) throw new AppError('forbidden', howToBeAdded(who, 'any agent'));
  return found;
}

/** One actor for what covers every agent: the roles of all of them, always under the same person. */
export function actorForEverything(found: readonly { actor: Actor }[]): Actor {
  const [first] = found;
  if (!first) throw new AppError('forbidden', 'You are not a person of any agent');
  const { agent: _one, ...actor } = first.actor;
  return { ...actor, roles: [...new Set(found.flatMap((each) => each.actor.roles))] };
}

function assertOfWorkspace({ teamId }: SlackDirectory, who: SlackPerson): void {
  if (who.teamId === teamId) return;
  throw new AppError(
    'forbidden',
    `Slack user ${who.userId} is of workspace ${who.teamId}, and only people of ${teamId} count here`,
  );
}

const slackIdOf = ({ userId, teamId }: SlackPerson): string => `${userId}/${teamId}`;

/** Who the user is in this agent; `undefined`: nobody. @throws AppError `forbidden` for somebody who is gone */
function personAs(
  agent: Agent,
  directory: SlackDirectory,
  who: SlackPerson,
  user: SlackUser | undefined,
): Actor | undefined {
  const slackId = slackIdOf(who);
  const byId = Object.entries(agent.people).find(([, { slack }]) => slack === slackId)?.[0];
  if (byId === undefined && !agent.slack.matchEmail) return undefined;
  if (user?.deactivated || user?.bot)
    throw new AppError('forbidden', `Slack user ${who.userId} is deactivated or a bot`);
  if (byId !== undefined) return actorOf(agent, byId, `slack ${slackId}`);
  const byEmail = user && personByEmail(agent, user, directory);
  return byEmail === undefined ? undefined : actorOf(agent, byEmail, `slack ${slackId} by e-mail`);
}

/** Only one person, without a Slack id of their own, and a user of this workspace: anything else is nobody. */
function personByEmail(agent: Agent, user: SlackUser, { teamId }: SlackDirectory): string | undefined {
  const email = user.email?.toLowerCase();
  if (!email || user.teamId !== teamId) return undefined;
  const found = Object.entries(agent.people).filter(([, person]) => person.email?.toLowerCase() === email);
  const [first] = found;
  return found.length === 1 && first && first[1].slack === undefined ? first[0] : undefined;
}

const actorOf = (agent: Agent, person: string, identity: string): Actor =>
  actorFromManifest(agent, person, 'slack', identity);

const howToBeAdded = ({ userId, teamId }: SlackPerson, what: string): string =>
  `You are not a person of ${what}. An owner adds "slack: ${userId}/${teamId}" to you under "people" in its manifest and runs portcullis apply`;
