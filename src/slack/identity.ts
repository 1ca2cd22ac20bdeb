import { actorFromManifest } from '../agents/standing.ts';
import type { Actor, Services } from '../context.ts';
import type { Agent } from '../domain/agent.ts';
import { AppError } from '../errors.ts';
import type { SlackUser, UserLookup } from './users.ts';

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
  const row = await services.db.sql
    .selectFrom('agent')
    .select('manifest')
    .where('name', '=', agentName)
    .executeTakeFirst();
  if (!row) throw new AppError('unknown_agent', `Agent "${agentName.slice(0, 64)}" is not known`);
  return actorIn(row.manifest, directory, who);
}

/** The same, where the manifest has been read. @throws AppError `forbidden` with what to do about it */
export async function actorIn(agent: Agent, directory: SlackDirectory, who: SlackPerson): Promise<Actor> {
  const actor = await personOf(agent, directory, who);
  if (actor) return actor;
  throw new AppError('forbidden', howToBeAdded(who, `agent "${agent.agent}"`));
}

/** Every agent this Slack user is a person of, with the actor they are there. @throws AppError `forbidden` */
export async function actorsFor(
  services: Pick<Services, 'db'>,
  directory: SlackDirectory,
  who: SlackPerson,
): Promise<{ agent: Agent; actor: Actor }[]> {
  const rows = await services.db.sql.selectFrom('agent').select('manifest').orderBy('name').execute();
  const found: { agent: Agent; actor: Actor }[] = [];
  for (const { manifest } of rows) {
    const actor = await personOf(manifest, directory, who);
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

async function personOf(
  agent: Agent,
  directory: SlackDirectory,
  who: SlackPerson,
): Promise<Actor | undefined> {
  if (who.teamId !== directory.teamId) {
    throw new AppError(
      'forbidden',
      `Slack user ${who.userId} is of workspace ${who.teamId}, and only people of ${directory.teamId} count here`,
    );
  }
  const slackId = `${who.userId}/${who.teamId}`;
  const byId = Object.entries(agent.people).find(([, { slack }]) => slack === slackId)?.[0];
  if (byId === undefined && !agent.slack.matchEmail) return undefined;
  const user = await directory.user(who.userId);
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
