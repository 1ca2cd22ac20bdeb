import type { SlackPort } from '../cards/posting/port.ts';
import { type Agent, slackUserOf } from '../domain/agent.ts';
import type { PresenceOf } from './reachable.ts';

/**
 * Whether people of an agent look for its questions in Slack. Without Slack, or for an agent that names neither a
 * channel nor anybody's account, they look at the queue page and the CLI.
 */
export const looksInSlack = (slack: SlackPort | undefined, agent: Agent): slack is SlackPort =>
  slack !== undefined &&
  (agent.slack.channel !== undefined ||
    Object.values(agent.people).some(({ slack: id }) => id !== undefined));

/** Asks Slack about people, each once. Where nobody looks in Slack, all see the queue page. */
export function presenceBy(slack: SlackPort | undefined): PresenceOf {
  const asked = new Map<string, ReturnType<PresenceOf>>();
  return (agent, person) => {
    const known = asked.get(person) ?? presenceOf(slack, agent, person);
    asked.set(person, known);
    return known;
  };
}

async function presenceOf(
  slack: SlackPort | undefined,
  agent: Agent,
  person: string,
): ReturnType<PresenceOf> {
  if (!looksInSlack(slack, agent)) return 'active';
  const user = slackUserOf(agent, person);
  if (user === undefined) {
    // Matched by e-mail when they press a button: whether they are there, nobody knows.
    return agent.slack.matchEmail && agent.people[person]?.email ? 'unknown' : 'no_account';
  }
  const active = await slack.userIsActive(user);
  return active === undefined ? 'unknown' : active ? 'active' : 'inactive';
}
